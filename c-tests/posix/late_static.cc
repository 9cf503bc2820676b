// Calls from a destructor of a static C++ object, and from one that is local to a thread.
#include "check.h"

#include <cstdio>
#include <thread>

struct Calls {
    bool *seen;
    ~Calls()
    {
        if (!io_works())
            _exit(1);
        if (seen)
            *seen = true;
    }
};

static Calls whole_process{};

int main()
{
    bool seen = false;

    std::thread([&] {
        static thread_local Calls here{ nullptr };
        here.seen = &seen;
    }).join();
    CHECK(seen);
    CHECK(whole_process.seen == nullptr);
    return 0;
}
