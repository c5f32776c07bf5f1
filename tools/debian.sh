# shellcheck shell=sh disable=SC2154
# Sourced by the scripts of tools/ that take something from Debian, which define
# die MESSAGE. Packages are only unpacked, so that nobody needs to be root, and
# come from a suite that we name, so that they are the same on every machine.

# The first Debian mirror of apt's own sources, in either of their two formats.
debian_mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    awk '$1 == "URIs:" { print $2 } $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; break } }' |
    grep -E '/debian/?$' | head -n 1 | sed 's,/$,,'
}

# debian_fetch URL FILE [SHA256]
debian_fetch() {
  rm -f "$2"
  /usr/lib/apt/apt-helper -qq download-file "$1" "$2" ${3:+"SHA256:$3"} 2>"$debian_work/fetch.log" ||
    { cat "$debian_work/fetch.log" >&2; die "cannot download $1"; }
}

# debian_open SUITE DIRECTORY: the signed index of a suite, in a directory for
# our work, for the functions below.
debian_open() {
  debian_suite=$1 debian_work=$2
  { [ -x /usr/lib/apt/apt-helper ] && command -v dpkg && command -v gpgv; } >/dev/null ||
    die "this is not Debian or a relative of it, to take packages from"
  debian_url=$(debian_mirror)
  [ -n "$debian_url" ] || die "apt's sources name no Debian mirror to take packages from"
  debian_fetch "$debian_url/dists/$debian_suite/InRelease" "$debian_work/InRelease"
  gpgv --quiet --keyring /usr/share/keyrings/debian-archive-keyring.gpg --output "$debian_work/Release" \
    "$debian_work/InRelease" 2>"$debian_work/gpgv.log" ||
    { cat "$debian_work/gpgv.log" >&2; die "the signature of $debian_suite is not Debian's"; }
  index=main/binary-$(dpkg --print-architecture)/Packages.xz
  sum=$(awk -v f="$index" '/^SHA256:/ { on = 1; next } /^[^ ]/ { on = 0 } on && $3 == f { print $1 }' "$debian_work/Release")
  [ -n "$sum" ] || die "$debian_suite has no $index"
  debian_fetch "$debian_url/dists/$debian_suite/$index" "$debian_work/Packages.xz" "$sum"
  xz -dc "$debian_work/Packages.xz" >"$debian_work/Packages"
}

# debian_unpack TREE PACKAGE...: from the suite that is open.
debian_unpack() {
  tree=$1
  shift
  for package in "$@"; do
    line=$(awk -v RS= -v p="$package" 'index($0, "Package: " p "\n") == 1' "$debian_work/Packages" |
      awk '$1 == "Filename:" { f = $2 } $1 == "SHA256:" { s = $2 } END { print f, s }')
    [ "$line" != " " ] || die "$debian_suite has no $package"
    debian_fetch "$debian_url/${line% *}" "$debian_work/package.deb" "${line#* }"
    dpkg -x "$debian_work/package.deb" "$tree"
  done
}

# debian_take TREE SUITE PACKAGE...: packages of a suite, unpacked in the place of what is there.
debian_take() {
  taken=$1 suite=$2
  shift 2
  work=$(mktemp -d "$(dirname "$taken").XXXXXX")
  trap 'rm -rf "$work"' EXIT
  debian_open "$suite" "$work"
  debian_unpack "$work/root" "$@"
  rm -rf "$taken"
  mkdir -p "$(dirname "$taken")"
  mv "$work/root" "$taken"
}

# debian_run TREE PROGRAM ARGUMENT...: a program of an unpacked tree that has its
# libraries and libc6 too: it runs whatever the machine's own are.
debian_run() {
  tree=$1 program=$2
  shift 2
  loader=$(ls "$tree"/usr/lib/*/ld-linux-*.so.*)
  "$loader" --library-path "$(dirname "$loader")" "$tree/usr/bin/$program" "$@"
}
