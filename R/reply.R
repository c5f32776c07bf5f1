# Replies: their type, and the details of those that are not a result.

# The fields of a reply of type `type`, see parse_envelope(). An error reply is raised.
check_reply <- function(reply, type, func_name, server, call) {
  message <- parse_envelope(reply, call)
  if (message$type == message_types[["error"]]) {
    detail <- parse_detail(payload(reply, message))
    abort_reply(func_name, message$error_msg, detail, panic_frames(detail, server), call)
  }
  if (message$type != message_types[[type]]) {
    got <- names(message_types)[message_types == message$type]
    abort_protocol("The server answered with a message of type {.val {got}}, not {.val {type}}.", call = call)
  }
  message
}

# The detail of an error reply, which is JSON, as a list: empty if there is none.
parse_detail <- function(bytes) {
  # jsonlite does not read strings with a zero byte.
  json <- gsub("\\u0000", "\\ufffd", readable(bytes), fixed = TRUE)
  detail <- tryCatch(parse_json(json), error = function(cnd) NULL)
  if (is.list(detail)) detail else list()
}

# What a server is busy with, from its reply to a cancel: how many calls may run at the
# same time (`max_calls`), and by function, how many run (`running`) and how many go on
# after they were told to stop (`given_up`). NULL if it does not say.
parse_load <- function(reply) {
  load <- tryCatch(
    parse_json(parse_envelope(reply, call = NULL)$error_msg),
    error = function(cnd) NULL
  )
  counts <- function(x) {
    x <- Filter(function(n) rlang::is_scalar_integerish(n, finite = TRUE) && n > 0, as.list(x))
    vapply(x[nzchar(rlang::names2(x))], as.integer, 1L)
  }
  if (is.list(load) && rlang::is_scalar_integerish(load$max_calls, finite = TRUE)) {
    list(max_calls = load$max_calls, running = counts(load$running), given_up = counts(load$given_up))
  }
}

# The user's own lines in the stack of a panic, the innermost first: a data frame of
# function, file and line. NULL if the peer sends none.
panic_frames <- function(detail, server = NULL, limit = 10) {
  frames <- detail[["frames"]]
  if (!is.data.frame(frames) || !is.character(frames$func) || !is.character(frames$file) || !is.numeric(frames$line)) {
    return(NULL)
  }
  own_frames(data.frame(`function` = frames$func, frames[c("file", "line")], check.names = FALSE), server, limit)
}
