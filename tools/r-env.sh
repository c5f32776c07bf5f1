# shellcheck shell=sh disable=SC2154
# Sourced by the scripts of tools/, with $root set: the environment that R runs
# in. Its packages are those of .local/library and those that come with R, and
# nothing of the machine's or the user's own, so that what was tested together
# stays together. R_ENVIRON too: Debian's Renviron.site adds a library of its own.
export R_LIBS="$root/.local/library" R_LIBS_SITE=NULL R_LIBS_USER=NULL
export R_ENVIRON=/dev/null R_ENVIRON_USER=/dev/null R_PROFILE_USER=/dev/null
