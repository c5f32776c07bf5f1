# What a program prints, in R's console: standard output by cat(), so that capture.output(),
# sink() and knitr have it, and standard error as messages.

# How many bytes are shown at a time. Of a flood the newest are.
output_limit <- 2^20

# Shows what `server` has printed since the last time, an unfinished line soon or, with `all`,
# at once. NULL is the server of a user's own socket, which prints elsewhere.
show_output <- function(server, all = FALSE) {
  if (is.null(server$log) || !server$shows) {
    return(invisible())
  }
  if (all && !server$wakes && isNamespaceLoaded("later")) wake_for_output(server)
  output <- .Call(c_log_output, server$log, output_limit, all)
  if (is.null(output) || isFALSE(getOption("mangoro.output")) || serves_files(server)) {
    return(invisible())
  }
  if (output[[4]] > 0) tell_output(dropped_text(output[[4]]), "stderr")
  end <- cumsum(output[[3]])
  for (i in seq_along(end)) {
    text <- readable(output[[1]][end[[i]] - output[[3]][[i]] + seq_len(output[[3]][[i]])])
    if (output[[2]][[i]] == 0) cat(text) else show_errors(text, server)
  }
  invisible()
}

# A program that mangoro_http_start() controls prints each request: mangoro_logs() has them.
serves_files <- function(server) "startServer" %in% names(server$connection$state$signatures)

dropped_text <- function(n) {
  size <- format(structure(n, class = "object_size"), units = "auto")
  sprintf("... (%s of output are not shown, see mangoro_logs())\n", size)
}

# What a server says of itself has come by now.
begin_output <- function(server) {
  .Call(c_log_seen, server$log)
  server$shows <- TRUE
  if (isNamespaceLoaded("later")) wake_for_output(server)
}

end_output <- function(server) {
  show_output(server, all = TRUE)
  server$shows <- FALSE
  if (server$wakes) .Call(c_log_wake, server$log, NULL)
  server$wakes <- FALSE
}

# Where later has been loaded, its loop shows what is printed between two calls. Of the
# call that it evaluates nothing is to be left to the next call.
wake_for_output <- function(server) {
  .Call(c_log_wake, server$log, rlang::call2(show_output, server, all = TRUE))
  server$wakes <- TRUE
}

# --- Standard error -------------------------------------------------------------

# As one message for each run of lines of one level.
show_errors <- function(text, server) {
  lines <- regmatches(text, gregexpr("[^\n]*\n|[^\n]+$", text))[[1]]
  lines <- without_crash(lines, server)
  level <- output_level(lines)
  for (run in split(lines, cumsum(c(TRUE, level[-1] != level[-length(level)]))[seq_along(level)])) {
    tell_output(paste(run, collapse = ""), output_level(run[[1]]))
  }
}

# The error that tells of a crash says how it began.
without_crash <- function(lines, server) {
  if (!any(grepl("^goroutine [0-9]+ .*\\[", lines)) || server$process$is_alive()) {
    return(lines)
  }
  crash <- as_lines(.Call(c_log_crash, server$log))
  at <- if (length(crash) > 0) match(crash[[1]], sub("\r?\n$", "", lines))
  if (is.null(at) || is.na(at)) lines else utils::head(lines, at - 1)
}

# The level of each line: that of slog's handlers, "log" of package log, or else "stderr".
output_level <- function(lines) {
  date <- "^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9:.]{8,} "
  level <- rep("stderr", length(lines))
  level[grepl(date, lines)] <- "log"
  patterns <- c(
    paste0(date, "(DEBUG|INFO|WARN|ERROR)([+-][0-9]+)? .*"),
    "^(?:time=\\S+ )?level=(DEBUG|INFO|WARN|ERROR)([+-][0-9]+)? .*",
    "^\\{(?:\"time\":\"[^\"]*\",)?\"level\":\"(DEBUG|INFO|WARN|ERROR)([+-][0-9]+)?\".*"
  )
  for (pattern in patterns) {
    pattern <- paste0("(?s)", pattern)
    found <- grepl(pattern, lines, perl = TRUE)
    level[found] <- tolower(sub(pattern, "\\1", lines[found], perl = TRUE))
  }
  level
}
