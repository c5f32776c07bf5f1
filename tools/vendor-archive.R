# Packs inst/go/vendor into inst/go/vendor.tar.xz, unless that is there and says
# the same: one file has no paths that are too long, and is a tenth of the size.
# Run by configure and cleanup, in the package's directory; base R only.
#
# The same tree gives the same archive everywhere: names are sorted, and owners,
# modes and times are constants. (utils::tar() takes those from the files.)

tree <- file.path("inst", "go", "vendor")
archive <- paste0(tree, ".tar.xz")

block <- 512L

padding <- function(size) raw(-size %% block)

# A header of a ustar archive: fields of text at fixed places.
header <- function(name, size) {
  prefix <- ""
  if (nchar(name, "bytes") > 100) {
    # A long name is split at a slash; untar() puts it together.
    slash <- gregexpr("/", name, fixed = TRUE)[[1]]
    slash <- slash[nchar(name) - slash <= 100 & slash <= 156][1]
    if (is.na(slash)) stop("too long a name for a tar archive: ", name)
    prefix <- substr(name, 1, slash - 1)
    name <- substr(name, slash + 1, nchar(name))
  }
  bytes <- raw(block)
  put <- function(at, text) {
    text <- charToRaw(text)
    bytes[seq_along(text) + at] <<- text
  }
  put(0, name)
  put(100, "0000644")
  put(108, "0000000")
  put(116, "0000000")
  put(124, sprintf("%011o", size))
  put(136, sprintf("%011o", 946684800L)) # 2000-01-01
  put(148, strrep(" ", 8)) # the checksum counts as blanks
  put(156, "0")
  put(257, "ustar")
  put(263, "00")
  put(345, prefix)
  put(148, sprintf("%06o", sum(as.integer(bytes))))
  bytes[155] <- as.raw(0)
  bytes
}

pack <- function(dir) {
  names <- sort(list.files(dir, recursive = TRUE, all.files = TRUE), method = "radix")
  files <- lapply(names, function(name) {
    path <- file.path(dir, name)
    size <- as.integer(file.size(path))
    c(header(file.path(basename(dir), name), size), readBin(path, raw(), size), padding(size))
  })
  c(unlist(files), raw(2L * block))
}

# The `size` bytes that `file` would unpack to, or some others.
unpack <- function(file, size) {
  con <- xzfile(file, "rb")
  on.exit(close(con))
  tryCatch(readBin(con, raw(), size + 1L), error = function(e) raw())
}

write_xz <- function(bytes, file) {
  # Renamed when complete, so that nobody sees a part of it.
  staged <- paste0(file, ".new")
  on.exit(unlink(staged))
  con <- xzfile(staged, "wb", compression = 6)
  tryCatch(writeBin(bytes, con), finally = close(con))
  unlink(file)
  if (!file.rename(staged, file)) stop("cannot write ", file)
}

if (dir.exists(tree)) {
  bytes <- pack(tree)
  if (!file.exists(archive) || !identical(suppressWarnings(unpack(archive, length(bytes))), bytes)) {
    message("packing the vendored Go modules")
    write_xz(bytes, archive)
  }
}
