"""python_suite.py OUTPUT MODULE [ID...]: runs the tests of a module of Python's own test suite, or only those, and writes
each with its outcome to OUTPUT, sorted.  What the tests print themselves is not theirs to be equal: times, order, numbers.
"""

import sys
import unittest

from test import support

output, module, only = sys.argv[1], sys.argv[2], set(sys.argv[3:])
# As under regrtest without -u: no network, no sound, nothing that fills the disk.
support.use_resources = []
support.verbose = 0


class Outcomes(unittest.TextTestResult):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.outcomes = {}

    def note(self, test, outcome):
        # The worst of a test's parts is its outcome.
        order = ["passed", "skipped", "expected failure", "unexpected success", "failed", "error"]
        self.outcomes[test.id()] = max(self.outcomes.get(test.id(), "passed"), outcome, key=lambda text: order.index(text.split(":")[0]))

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "passed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped: " + reason)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.note(test, "failed")

    def addError(self, test, error):
        super().addError(test, error)
        self.note(test, "error")

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self.note(test, "expected failure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "unexpected success")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.note(test, "failed")


def tests_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        elif "VSOCK" not in test.id().upper() and (not only or test.id() in only):
            yield test


loaded = unittest.TestLoader().loadTestsFromName("test." + module)
runner = unittest.TextTestRunner(resultclass=Outcomes, verbosity=2)
# The suites keep their order, so that what a module or a class sets up is set up once.
result = runner.run(unittest.TestSuite(tests_of(loaded)))
with open(output, "w") as file:
    for test, outcome in sorted(result.outcomes.items()):
        print(test, outcome, file=file)
    print(len(result.outcomes), "tests of", module, file=file)
