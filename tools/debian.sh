# Sourced by the scripts of tools/ that take something from Debian.

# The first Debian mirror of apt's own sources, in either of their two formats.
debian_mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    awk '$1 == "URIs:" { print $2 } $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; break } }' |
    grep -E '/debian/?$' | head -n 1 | sed 's,/$,,'
}
