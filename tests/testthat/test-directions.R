# Dependencies between the files of R/ point one way: each uses itself and those
# before it in this list.
layers <- c(
  "mangoro-package", "text", "message", "conditions", "check", "options", "path", "zone",
  "scratch", "ipc", "trust", "cache", "vendor", "toolchain", "literal", "diagnostics", "modules", "program", "build",
  "send_as", "codec", "dynamic", "stream", "envelope", "socket", "server", "output", "progress", "reply", "dialers",
  "connection", "request", "lane", "manifest", "rpc", "refusal", "object", "targets", "vectors", "coerce", "arguments",
  "callback", "source_in", "exchange", "stream_out", "call", "http", "functions", "methods", "task", "promise", "map",
  "lifecycle", "site", "handle", "start", "serve", "recipe", "source", "eval", "sitrep", "install_go"
)

test_that("files use only what stands before them", {
  sources <- test_path("..", "..", "R")
  skip_if_not(dir.exists(sources), "the sources are not here")
  files <- list.files(sources, "\\.R$", full.names = TRUE)
  topic <- sub("\\.R$", "", basename(files))
  expect_setequal(topic, layers)

  code <- lapply(files, parse, keep.source = FALSE)
  defined <- lapply(code, function(exprs) {
    unlist(lapply(exprs, function(e) if (is.call(e) && identical(e[[1]], quote(`<-`))) as.character(e[[2]])[[1]]))
  })
  owner <- rep(topic, lengths(defined))
  names(owner) <- unlist(defined)
  # The last file's would replace the others.
  expect_identical(unique(names(owner)[duplicated(names(owner))]), character())
  wrong <- lapply(seq_along(files), function(i) {
    used <- intersect(all.names(code[[i]]), names(owner))
    later <- used[match(owner[used], layers) > match(topic[[i]], layers)]
    if (length(later) > 0) sprintf("%s.R uses %s of %s.R", topic[[i]], later, owner[later])
  })
  expect_identical(as.character(unlist(wrong)), character())
})
