# Sites of mangoro_serve(), and requests that no client changes on its way.

local_site <- function(..., frame = parent.frame()) {
  skip_if_no_go()
  local_handle(mangoro_serve(..., browse = FALSE), frame)
}

url_of <- function(site) mangoro_status(site)$url
read_url <- function(site, path) readLines(paste0(url_of(site)[[1]], path), warn = FALSE)
port_of <- function(site) as.integer(sub(".*:([0-9]+)/.*", "\\1", url_of(site)[[1]]))

# The answer to a request, with its headers, as lines of text.
request_raw <- function(site, path, ..., host = "localhost", method = "GET") {
  con <- socketConnection("127.0.0.1", port_of(site), open = "r+b", blocking = TRUE, timeout = 30)
  on.exit(close(con))
  headers <- c(paste("Host:", host), ..., "Connection: close", "", "")
  writeBin(charToRaw(paste(c(sprintf("%s %s HTTP/1.1", method, path), headers), collapse = "\r\n")), con)
  bytes <- raw()
  while (length(more <- readBin(con, "raw", 65536)) > 0) bytes <- c(bytes, more)
  strsplit(rawToChar(bytes), "\r\n", fixed = TRUE)[[1]]
}
status_of <- function(...) as.integer(substr(request_raw(...)[[1]], 10, 12))
header_of <- function(answer, name) {
  at <- startsWith(tolower(answer), paste0(tolower(name), ": "))
  substring(answer[at], nchar(name) + 3)
}
