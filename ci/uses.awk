# awk -f ci/uses.awk src/lib.rs OTHER_FILES...: which file of src/ uses which. Prints `user used line` for each pair:
# the file that uses the other, that one, and the line where it does so first. For ci/floors.sh.
#
# A file uses what its `use` lines name, and the paths in its code that begin with crate, super, self, a module of its
# own, or one that it has imported. A name that a file passes on (`pub(crate) use`) is used by that file; a file that
# takes it from there uses that file. Only what src/lib.rs passes on is looked up where it comes from. Tests inside of a
# file count, too.

function module(file) {
    sub(/^src\//, "crate/", file)
    sub(/(\/mod|\/lib)?\.rs$/, "", file)
    gsub("/", "::", file)
    return file
}

function is_ours(name) { return name ~ /^(crate|super|self)$/ || name in imported || (here "::" name) in file_of }

# The file that a path in this file leads to, if it is one of ours. Sets `at`, the module, and `is_module`: the path
# ends there.
function follow(path,   n, i, part) {
    n = split(path, part, "::")
    i = 2
    if (!is_ours(part[1])) return ""
    if (part[1] == "crate") at = "crate"
    else if (part[1] in imported) at = imported[part[1]]
    else { at = here; if (part[1] != "self") i = 1 }
    for (; part[i] == "super"; i++) sub(/::[^:]*$/, "", at)
    for (; (at "::" part[i]) in file_of; i++) at = at "::" part[i]
    is_module = i > n || part[i] == "self"
    if (at == "crate" && !is_module) at = part[i] in passed_on ? passed_on[part[i]] : passed_on["*"]
    return file_of[at]
}

function use(path,   file) {
    file = follow(path)
    if (file == "" || file == FILENAME || FILENAME == "src/lib.rs" || (FILENAME, file) in seen) return
    seen[FILENAME, file]
    print FILENAME, file, FNR
}

# One name of a `use`: the last part of its path, or what follows `as`.
function import(path, name) {
    use(path)
    if (follow(path) == "") return
    if (name == "") { name = path; sub(/::self$/, "", name); sub(/.*::/, "", name) }
    if (is_module) imported[name] = at
    if (FILENAME == "src/lib.rs") passed_on[name] = at
}

function token_of_use(t) {
    if (t ~ /^[,};]$/) {
        if (path != prefix[level]) import(path, as)
        if (t == "}") level--
        path = prefix[level]
        as = ""
        in_use = t != ";"
    }
    else if (t == "{") prefix[++level] = path
    else if (t == "<") in_use = 0 # `impl Trait + use<...>`
    else if (before == "as") as = t
    else if (t != "as") path = path t
}

function token_of_code(t) {
    if (before == "::" && t ~ /^[a-zA-Z_]/) {
        if (path != "") path = path "::" t
        return
    }
    if (t == "::") return
    if (path ~ /::/) use(path)
    path = is_ours(t) ? t : ""
    if (t == "use") { in_use = 1; path = "" }
    if (t == "{" && ++depth && before_that == "mod") { # a module inside of the file
        here = here "::" before
        file_of[here] = FILENAME
        is_inside[depth] = 1
    }
    if (t == "}" && is_inside[depth--]) {
        sub(/::[^:]*$/, "", here)
        is_inside[depth + 1] = 0
    }
}

BEGIN { for (i = 1; i < ARGC; i++) file_of[module(ARGV[i])] = ARGV[i] }

FNR == 1 {
    here = module(FILENAME)
    path = before = before_that = ""
    depth = level = in_use = in_text = 0
    split("", imported)
}

# Without characters, texts (of which some go over several lines), and comments.
in_text && !sub(/^([^"\\]|\\.)*"/, "") { next }
{
    gsub(/\047(\\[^\047]*.|[^\047\\])\047/, "")
    gsub(/"([^"\\]|\\.)*"/, "")
    sub(/\/\/.*/, "")
    in_text = sub(/".*/, "")
    for (; match($0, /[a-zA-Z_][a-zA-Z_0-9]*|::|[^ \t]/); $0 = substr($0, RSTART + RLENGTH)) {
        t = substr($0, RSTART, RLENGTH)
        if (in_use) token_of_use(t)
        else token_of_code(t)
        before_that = before
        before = t
    }
}
