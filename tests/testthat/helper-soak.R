# Interrupts calls in all possible ways, through every function that makes calls, and
# counts how often the server ran each. `make soak` does so at length, and a test briefly.

# The program go/counter.go, as a separate process and as that of a handle.
counting_servers <- function(bin, url) {
  servers <- new.env()
  servers$start <- function() {
    servers$proc <- processx::process$new(bin, args = url, stdout = "|", cleanup = TRUE)
    wait_for_output(servers$proc, "listening on")
  }
  servers$start()
  servers$started <- mangoro_start(bin)
  servers$connected <- mangoro_connect(url)
  servers$socket <- nanonext::socket("req", dial = url)
  servers$stop <- function() {
    for (handle in list(servers$started, servers$connected)) mangoro_stop(handle)
    close(servers$socket)
    servers$proc$kill()
  }
  # Restarts those that have died, and now and then one that has not.
  servers$revive <- function(restart) {
    if (restart == "kill") servers$proc$kill()
    if (!servers$proc$is_alive()) servers$start()
    if (restart == "started" || !mangoro_is_alive(servers$started)) mangoro_restart(servers$started)
    if (restart == "connected" || is.null(server_of(servers$connected)$connection)) mangoro_restart(servers$connected)
    if (restart == "socket") {
      close(servers$socket)
      servers$socket <- nanonext::socket("req", dial = url)
    }
  }
  servers
}

# One call: the reply, or how it failed.
soak_call <- function(target, verb, arguments, timeout) {
  frame <- as.data.frame(arguments)
  tryCatch(
    switch(verb,
      dollar = do.call(target$mark, arguments),
      call = do.call(mangoro_call, c(target, "mark", arguments, .timeout = timeout)),
      rpc = as.data.frame(mangoro_rpc_call(target, "mark", frame, timeout = timeout))$result,
      send = {
        mangoro_rpc_send(target, mangoro_rpc_call_message("mark", frame))
        if (arguments$fate == "answer" && stats::runif(1) < 0.1) mangoro_rpc_get_manifest(target, timeout = 5)
        reply <- mangoro_rpc_parse_response(mangoro_rpc_recv(target, max_attempts = 1))
        as.data.frame(nanoarrow::read_nanoarrow(reply$data))$result
      }
    ),
    mangoro_error = function(cnd) structure(cnd$code, class = "failure"),
    interrupt = function(cnd) structure("interrupt", class = "failure")
  )
}

# `fates` is a named vector with the weight of each fate. Returns counts: calls, calls
# with a reply, runs of the function, calls that ran more than once, and calls with a
# wrong reply or with a reply but no run.
soak <- function(bin, calls, fates, seed = 1) {
  withr::local_seed(seed)
  dir <- withr::local_tempdir()
  file <- file.path(dir, "runs")
  file.create(file)
  servers <- counting_servers(bin, paste0("ipc://", file.path(dir, "s")))
  on.exit(servers$stop())
  restarts <- c("none", "kill", "started", "connected", "socket")
  answers <- vector("list", calls)
  for (i in seq_len(calls)) {
    servers$revive(sample(restarts, 1, prob = c(96, 1, 1, 1, 1)))
    kind <- sample(c("started", "connected", "socket"), 1)
    verb <- sample(c(if (kind != "socket") "dollar", "call", "rpc", "send"), 1)
    fate <- sample(names(fates), 1, prob = fates)
    arguments <- list(file = file, id = as.character(i), fate = fate, pid = Sys.getpid())
    timeout <- if (fate == "wait") 0.02 else 5
    answers[[i]] <- soak_call(servers[[kind]], verb, arguments, timeout)
  }
  # A request that is still queued would run now.
  servers$revive("none")
  for (kind in c("started", "connected", "socket")) mangoro_rpc_get_manifest(servers[[kind]], timeout = 20)
  runs <- table(readLines(file))
  answered <- which(!vapply(answers, inherits, NA, "failure"))
  failed <- unlist(lapply(answers[-answered], unclass))
  list(
    calls = calls,
    answered = length(answered),
    failures = table(failed),
    runs = sum(runs),
    more_than_once = sum(runs > 1),
    wrong = sum(unlist(answers[answered]) != as.character(answered)),
    answered_without_run = length(setdiff(as.character(answered), names(runs)))
  )
}
