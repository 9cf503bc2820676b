#!/usr/bin/env bash
# httpd_paths_test.sh BIN_DIR: httpd lists directories, and serves nothing outside of its site.
# shellcheck source=c-tests/test_httpd.sh
. "$(dirname "$0")/test_httpd.sh"

serve -t 2 -l "$site"

# ---- directories ----
check "a directory without the slash: 301" gets 301 "$url/with%20index?a=b"
check "301 leads to the directory, and keeps the query" has_header "location: /with%20index/\?a=b"
check "301 never leads to another host" gets 301 "$url//sub/deep"
check "301 has one slash in front" has_header "location: /sub/deep/"
check "index.html stands for its directory" gets 200 "$url/with%20index/"
check "index.html: the right bytes" same "$site/with index/index.html"
check "a directory without index.html is listed" gets 200 "$url/list/"
cp "$work/body" "$work/listing"
shown() { grep -F "$1" "$work/listing"; }
check "listing: names are escaped as HTML" shown "a&amp;b &lt;c&gt; &quot;d&#39; e.txt"
check "listing: links are escaped as URLs" shown 'href="a%26b%20%3Cc%3E%20%22d%27%20e.txt"'
check "listing: directories end with a slash" shown 'href="dir%20%26%20more/"'
check "listing: no hidden files" bash -c "! grep hidden '$work/listing'"
all_links_work() {
    local link count=0
    while read -r link; do
        gets 200 "$url/list/$link" || { echo "$link"; return 1; }
        count=$((count + 1))
    done < <(sed -n 's/.*href="\([^"]*\)".*/\1/p' "$work/listing" | grep -v '^\.\./')
    [ $count = 7 ]
}
check "listing: every link works" all_links_work

# ---- nothing outside of the site ----
keeps_inside() {
    get "$url/$1"
    [[ $code = 40[034] ]] || { echo "status $code"; return 1; }
    ! grep -q secret "$work/body"
}
for attack in ../outside/secret.txt ../site-not.txt sub/../../outside/secret.txt %2e%2e/outside/secret.txt \
    ..%2foutside%2fsecret.txt %2e%2e%2foutside/secret.txt .%2e/outside/secret.txt //../outside/secret.txt \
    ./../outside/secret.txt sub/deep/../../../outside/secret.txt ..%5coutside%5csecret.txt \
    %252e%252e/outside/secret.txt %c0%ae%c0%ae/outside/secret.txt link-absolute link-relative \
    link-directory/secret.txt link-directory/ link-magic/ \
    "link-magic$work/outside/secret.txt" inside.txt/../../outside/secret.txt /etc/passwd; do
    check "nothing outside: /$attack" keeps_inside "$attack"
done
check "a link that leads out: 403" gets 403 "$url/link-relative"
check "a path that leads out: 403" gets 403 "$url/../outside/secret.txt"
check "a link that stays inside: 200" gets 200 "$url/sub/deep/link-inside"
check "dots that stay inside: 200" gets 200 "$url/sub/../sub/./deep/../../inside.txt"
check "a link to itself: 403" gets 403 "$url/link-loop"
check "a FIFO: 403, at once" gets 403 "$url/fifo"
check "a NUL in the path: 400" gets 400 "$url/inside.txt%00.html"
check "a wrong percent code: 400" gets 400 "$url/%zz"
check "half a percent code: 400" gets 400 "$url/%4"

ends_well

all_passed
