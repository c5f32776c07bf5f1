# Temporary directories.
#
# A session that is killed cannot clean up. So each such directory is locked as long as
# the session that made it lives: the system unlocks it when the session ends, however
# it ends. A directory that has our kind of name, belongs to the user and is not locked
# is a leftover, and the next session removes it. The name has a part for the machine,
# because not every file system shows the locks of other machines.

# Makes a directory below `base` whose name begins with `prefix`, and locks it. The
# session's own directory has a note of each of the others, by which they are found
# when it is removed.
new_scratch <- function(base, prefix, is_noted = TRUE) {
  for (attempt in seq_len(100)) {
    random <- basename(tempfile(""))
    dir <- file.path(absolute_path(base), paste0(prefix, host_tag(), "-", substring(random, nchar(random) - 3)))
    if (is_noted) write_utf8(dir, note_of(dir))
    lock <- .Call(c_lock_make, dir)
    if (typeof(lock) == "externalptr") {
      the$locks[[dir]] <- lock
      return(dir)
    }
    if (is_noted) unlink(note_of(dir))
    if (identical(lock, FALSE)) break
  }
  abort_resource_exhausted("No directory can be made in {.path {base}}.")
}

note_of <- function(dir) file.path(session_dir(), paste0("at-", basename(dir)))

remove_scratch <- function(dir) {
  unlink_all(dir)
  unlink(note_of(dir))
  if (!is.null(the$locks[[dir]])) .Call(c_lock_release, the$locks[[dir]])
  the$locks[[dir]] <- NULL
}

# Four hexadecimal digits.
host_tag <- function() {
  if (is.null(the$host)) the$host <- substr(cli::hash_sha256(Sys.info()[["nodename"]]), 1, 4)
  the$host
}

# --- The session's own --------------------------------------------------------

# The directory of everything that is removed with the session: sockets, and what is
# being built. It is in R's own temporary directory, or in `/tmp` if the path of a socket
# would be too long. Servers and builds remove it if R is gone.
session_dir <- function() {
  room <- max_socket_path - nchar("/mangoro-0000-0000/mangoro00000000000000.ipc")
  scratch_in(if (!is_windows() && nchar(tempdir(), "bytes") > room) "/tmp" else tempdir())
}

# The directory that this session has in `base`, made when it is first needed.
scratch_in <- function(base) {
  dir <- the$scratch[[base]]
  if (is.null(dir) || !dir.exists(dir)) {
    dir <- new_scratch(base, "mangoro-", is_noted = FALSE)
    the$scratch[[base]] <- dir
    owner <- rlang::new_environment(list(dir = dir, pid = Sys.getpid()))
    reg.finalizer(owner, end_scratch, onexit = TRUE)
    the$scratch_owners <- c(the$scratch_owners, owner)
  }
  dir
}

# Not in a forked child, whose parent uses the directory.
end_scratch <- function(owner) {
  if (owner$pid == Sys.getpid()) unlink_all(owner$dir)
}

# --- What other sessions have left ----------------------------------------------------

# Removes what sessions of this user that have ended left behind: in temporary
# directories once per session, and once in each cache.
sweep <- function(cache = cache_dir()) {
  if (!"sessions" %in% the$swept) {
    the$swept <- c(the$swept, "sessions")
    temporary <- unique(c(dirname(tempdir()), "/tmp"))
    remove_leftovers(c(Sys.glob(file.path(temporary, "Rtmp*")), "/tmp"), "mangoro-")
  }
  if (!cache %in% the$swept) {
    the$swept <- c(the$swept, cache)
    remove_leftovers(cache, staging_prefixes)
  }
}

staging_prefixes <- c(".new-", "trash-")

remove_leftovers <- function(bases, prefixes) {
  for (dir in list.files(bases, scratch_names(prefixes), all.files = TRUE, full.names = TRUE)) {
    if (.Call(c_lock_is_free, dir)) {
      noted <- read_notes(dir)
      for (other in noted) if (.Call(c_lock_is_free, other)) unlink_all(other)
      # The notes last: what could not be removed is still known by them.
      if (!any(file.exists(noted))) unlink_all(dir)
    }
  }
}

read_notes <- function(dir) {
  noted <- vapply(list.files(dir, "^at-", full.names = TRUE), read_line, "")
  noted[grepl(scratch_names(staging_prefixes), basename(noted))]
}

# A regular expression.
scratch_names <- function(prefixes) {
  sprintf("^(%s)%s-[0-9a-f]{4}$", paste(gsub(".", "\\.", prefixes, fixed = TRUE), collapse = "|"), host_tag())
}

# Removes read-only directories too, such as those of Go's module cache, but nothing that
# a link leads to. Sockets are removed first: unlink() takes them for directories.
unlink_all <- function(dir) {
  file.remove(list.files(dir, "\\.ipc$", full.names = TRUE))
  unlink(dir, recursive = TRUE)
  if (file.exists(dir)) {
    dirs <- list.dirs(dir)
    Sys.chmod(dirs[is_below(real_path(dirs), real_path(dir))], "0700", use_umask = FALSE)
    unlink(dir, recursive = TRUE)
  }
}
