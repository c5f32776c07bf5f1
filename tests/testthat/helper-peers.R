# Peers that do not answer as a server does: silent, suspended, or with TLS.

class_of_error <- function(expr) {
  tryCatch(
    {
      expr
      "none"
    },
    error = function(cnd) class(cnd)[[1]]
  )
}

# The certificates in tls/: of localhost, of another host, one that has expired.
pem_of <- function(name, part) {
  paste(readLines(test_path("tls", paste0(name, ".", part))), collapse = "\n")
}

tls_of <- function(name, ...) nanonext::tls_config(client = c(pem_of(name, "crt"), ""), ...)

# Listens with TLS in this process: enough for a handshake.
local_tls <- function(name, scheme = "tls+tcp", env = parent.frame(), ...) {
  sock <- nanonext::socket("rep")
  withr::defer(close(sock), envir = env)
  config <- nanonext::tls_config(server = c(pem_of(name, "crt"), pem_of(name, "key")), ...)
  nanonext::listen(sock, sprintf("%s://127.0.0.1:0/", scheme), tls = config)
  url <- attr(attr(sock, "listener")[[1]], "url")
  # NNG tries only one of the addresses of a host for a WebSocket.
  if (scheme == "wss") url else sub("127.0.0.1", "localhost", url, fixed = TRUE)
}

# A server that is stopped, not ended: the system goes on to accept connections.
local_stopped <- function(env = parent.frame()) {
  skip_on_os("windows")
  server <- local_server(command_source("rpc-example"), env = env)
  mangoro_rpc_get_manifest(server$sock)
  suspend(server$proc)
  server
}

# A TCP socket that is listened at, and nothing more.
local_silent <- function(env = parent.frame()) {
  for (port in sample(20000:60000, 50)) {
    listener <- tryCatch(serverSocket(port), error = function(cnd) NULL)
    if (!is.null(listener)) break
  }
  withr::defer(close(listener), envir = env)
  paste0("127.0.0.1:", port)
}
