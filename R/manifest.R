# The manifest of a server: what it says about its functions, and what is kept of that for
# a connection. The keys of a manifest are those of FunctionSignature in Go.

#' @rdname mangoro_rpc_call
#' @order 2
#' @export
mangoro_rpc_get_manifest <- function(sock, timeout = NULL) {
  call <- rlang::current_env()
  get_manifest(connection_of(sock, call), timeout, call)
}

get_manifest <- function(connection, timeout, call) {
  json <- fetch_manifest(connection, call_timeout(timeout, connection$server, call), call)
  manifest <- rlang::try_fetch(
    parse_json(json),
    error = function(cnd) {
      abort_protocol("The server's manifest is not valid JSON.", call = call, parent = cnd)
    }
  )
  if (!is_object(manifest)) {
    abort_protocol("The server's manifest is not a JSON object.", call = call)
  }
  manifest
}

# The manifest as JSON. What the server has left out of it is kept for the connection.
fetch_manifest <- function(connection, timeout, call) {
  reply <- request_manifest(connection, timeout, call)
  message <- check_reply(reply, "manifest", "", connection$server, call)
  state <- connection$state
  state$left_out <- parse_left_out(message$error_msg)
  state$max_calls <- parse_max_calls(message$error_msg)
  state$classes <- parse_classes(message$error_msg, call)
  state$offers_lane <- offers_shared_memory(message$error_msg)
  attach_lane(connection, call)
  json <- payload(reply, message)
  if (any(json == 0)) abort_protocol("The server's manifest is not valid JSON.", call = call)
  readable(json)
}

request_manifest <- function(connection, timeout, call) {
  line <- take_line(connection, call)
  on.exit(release_line(line, connection))
  roundtrip(line, connection, mangoro_rpc_manifest_request(), name = NULL, timeout, call)
}

# The functions that R cannot call, from the metadata of a manifest: a data frame of
# name, reason, file and line, the last two "" and NA where they are not known. What has
# another form is not there: a peer need not send any.
parse_left_out <- function(metadata) {
  functions <- tryCatch(as.list(jsonlite::parse_json(metadata)$left_out), error = function(cnd) NULL)
  functions <- Filter(function(f) is.list(f) && rlang::is_string(f$name) && rlang::is_string(f$reason), functions)
  part <- function(name) vapply(functions, function(f) if (rlang::is_string(f[[name]])) f[[name]] else "", "")
  line <- function(f) if (rlang::is_scalar_integerish(f$line, finite = TRUE)) as.integer(f$line) else NA_integer_
  data.frame(name = part("name"), reason = part("reason"), file = part("file"), line = vapply(functions, line, 1L))
}

# How many calls the server runs at the same time, NULL if it does not say.
parse_max_calls <- function(metadata) {
  n <- tryCatch(as.list(jsonlite::parse_json(metadata))$max_calls, error = function(cnd) NULL)
  if (rlang::is_scalar_integerish(n, finite = TRUE) && n >= 1) as.numeric(n)
}

# --- Signatures --------------------------------------------------------------

# Signatures are kept for each socket, until one is not found: then there may be another
# server.
find_signature <- function(connection, name, timeout, call) {
  signature <- connection$state$signatures[[name]]
  if (is.null(signature)) signature <- fetch_signatures(connection, timeout, call)[[name]]
  if (is.null(signature)) {
    left_out <- connection$state$left_out
    reason <- left_out$reason[match(name, left_out$name)]
    abort_no_function(name, names(connection$state$signatures), call, reason = reason)
  }
  signature
}

fetch_signatures <- function(connection, timeout, call) {
  signatures <- parse_signatures(fetch_manifest(connection, timeout, call), call)
  state <- connection$state
  state$signatures <- lapply(signatures, at_home, state)
}

# The signatures of a manifest by name. The manifest is a peer's: keys that are missing
# or of another type are an error.
parse_signatures <- function(json, call) {
  force(json) # errors of fetching it are not errors of the manifest
  rlang::try_fetch(
    {
      manifest <- jsonlite::parse_json(json)
      if (!is_object(manifest)) abort_protocol("It is not a JSON object.")
      Map(new_signature, manifest, names(manifest))
    },
    error = function(cnd) {
      abort_protocol("The server's manifest does not describe its functions.", call = call, parent = cnd)
    }
  )
}

# The types of objects by name, from the metadata of a manifest: `doc`, and their methods,
# `signatures` by name.
parse_classes <- function(metadata, call) {
  classes <- tryCatch(as.list(jsonlite::parse_json(metadata))$objects, error = function(cnd) NULL)
  if (!is_object(classes)) {
    return(list())
  }
  rlang::try_fetch(
    Map(function(class, type) {
      methods <- as.list(class$Methods)
      list(
        doc = text_or_none(class$Doc),
        signatures = Map(new_signature, methods, paste0(type, ".", names(methods), recycle0 = TRUE))
      )
    }, classes, names(classes)),
    error = function(cnd) {
      abort_protocol("The server's manifest does not describe its objects.", call = call, parent = cnd)
    }
  )
}

# A signature whose arguments are objects of the connection that `state` is of.
at_home <- function(signature, state) {
  if (signature$objects) signature$home <- state
  signature
}

# A function as calls of it are checked against:
#   name        its name
#   args        the names of the arguments
#   variadic    the name of the last one if it is R's `...`, otherwise no name
#   paths       the names of those that are paths of files
#   specs       a type for each
#   optional    TRUE for each that may be left out
#   defaults    what Go uses for it then, NULL for nothing
#   vectorized  TRUE if it is elementwise: a row of results for each row of arguments
#   recycles    TRUE if Go recycles arguments of different lengths
#   each        TRUE if the result of such a one is a list with an element for each row
#   boxed       TRUE if the arguments are one row, each whole
#   returns     TRUE if there is a result
#   record      TRUE if the result is a record, see record_value(); otherwise it is
#               the only column of one
#   result      its type, NULL if the manifest does not say
#   lives       TRUE if a call may say something before it ends, see R/exchange.R
#   streams     TRUE if the result is a stream: the payload itself, not a column of it
#   alike       the names of the arguments that are of the type of the result, if one
#               value of it is not a vector of length 1, see is_single(); otherwise NULL
#   plain       the types of the arguments if they are plain, see plain_types()
#   objects     TRUE if there are objects among the arguments or in the result
#   home        then what is kept for the connection that these are of
#   receiver    of a method, the id of its object, see R/methods.R
#   last        of the last call, its header, see call_header(), and how many bytes of a segment
#               its result had, see new_offer()
#   result_header  the header of results
#   doc         what the function does, "" if unknown
#   go          its declaration in Go, "" if unknown
new_signature <- function(entry, name) {
  args <- lapply(entry$Args, function(arg) {
    list(
      name = one_string(arg$Name), spec = new_type(arg$Type), path = isTRUE(arg$Path), variadic = isTRUE(arg$Variadic),
      optional = isTRUE(arg$Optional) || isTRUE(arg$Variadic)
    )
  })
  names <- vapply(args, `[[`, "", "name")
  each <- isTRUE(entry$Each) && isTRUE(entry$Vectorized) && isTRUE(entry$Recycles)
  list(
    name = name,
    args = names,
    specs = lapply(args, `[[`, "spec"),
    variadic = names[vapply(args, `[[`, TRUE, "variadic") & seq_along(args) == length(args)],
    paths = names[vapply(args, `[[`, TRUE, "path")],
    optional = vapply(args, `[[`, TRUE, "optional"),
    defaults = lapply(entry$Args, function(arg) scalar_default(arg$Default, arg$Type$Type)),
    vectorized = isTRUE(entry$Vectorized),
    recycles = isTRUE(entry$Recycles),
    each = each,
    boxed = isTRUE(entry$Boxed),
    returns = !identical(entry$ReturnType$Type, "null"),
    record = !isTRUE(entry$Boxed) && !isTRUE(entry$Recycles) && names_record(entry$ReturnType$Type),
    result = result_type(entry),
    lives = isTRUE(entry$Lives),
    streams = isTRUE(entry$Boxed) && identical(entry$ReturnType$Type, "stream"),
    alike = if (isTRUE(entry$Vectorized)) names_alike(args, entry$ReturnType$Type),
    plain = plain_types(args, isTRUE(entry$Vectorized)),
    objects = any(vapply(lapply(args, `[[`, "spec"), has_object, NA)) || has_object(result_type(entry)),
    last = new.env(parent = emptyenv()),
    result_header = envelope_header("result", name),
    doc = text_or_none(entry$Metadata$description),
    go = text_or_none(entry$Metadata$signature)
  )
}

result_type <- function(entry) if (rlang::is_string(entry$ReturnType$Type)) new_type(entry$ReturnType)

# Whether there are objects in a value of a type.
has_object <- function(spec) {
  !is.null(spec) && (
    spec$type == "object" || has_object(spec$element) || any(vapply(spec$fields, has_object, NA)) ||
      any(vapply(spec$func$args, has_object, NA)) || has_object(spec$func$result)
  )
}

# Whether the result of a handler on records is a record: if it is a vector, its type
# is that of the vector.
names_record <- function(type) !rlang::is_string(type) || type %in% c("struct", "any", "record", "stream", "")

names_alike <- function(args, type) {
  if (rlang::is_string(type, c("binary", "struct"))) {
    unlist(lapply(args, function(arg) if (arg$spec$type == type) arg$name))
  }
}

# The default of an argument as code. Values that R has no literal for are left out, so that
# Go uses its own.
scalar_default <- function(x, type) {
  if (identical(type, "date") && rlang::is_string(x)) return(call("as.Date", x))
  if (is.atomic(x) && length(x) == 1 && !type %in% c("timestamp", "duration")) x
}

text_or_none <- function(x) if (rlang::is_string(x)) x else ""

# The types of vectors, as R's C interface numbers them, that the arguments of an
# elementwise function may have to be sent as they are; NULL if one is not plain, or a path.
plain_types <- function(args, vectorized) {
  types <- c(bool = 10L, int32 = 13L, int64 = 13L, float64 = 14L, string = 16L)
  plain <- vapply(args, function(arg) {
    if (arg$spec$nullable && arg$spec$type %in% names(types) && !arg$path) types[[arg$spec$type]] else NA
  }, 1L)
  if (vectorized && length(plain) > 0 && !anyNA(plain)) plain
}

#   type      its name, see rgoipc.TypeSpec
#   nullable  whether NA is taken
#   element   the type of the elements of a list, map or matrix, NULL: any
#   length    how many elements a list or raw vector has, NULL: any number
#   fields    the types of the fields of a struct by name, NULL: any
#   optional  the names of those that may be left out
#   name      the type of an object
#   func      an R function that Go calls: `args`, the types of its arguments by name, and
#             `result`, NULL: none
#   fails     whether Go takes an error of it
new_type <- function(spec) {
  fields <- spec$StructDef$Fields
  names <- vapply(fields, function(field) one_string(field$Name), "")
  list(
    type = one_string(spec$Type),
    nullable = isTRUE(spec$Nullable),
    element = if (!is.null(spec$ListSchema)) new_type(spec$ListSchema),
    length = if (rlang::is_scalar_integerish(spec$Length)) spec$Length,
    fields = if (length(fields) > 0) {
      rlang::set_names(lapply(fields, function(field) new_type(field$Type)), names)
    },
    optional = names[vapply(fields, function(field) isTRUE(field$Optional), TRUE)],
    name = if (identical(spec$Type, "object")) one_string(spec$Name),
    func = if (identical(spec$Type, "function")) new_function_type(spec$Func),
    fails = isTRUE(spec$Fails)
  )
}

new_function_type <- function(entry) {
  names <- vapply(entry$Args, function(arg) one_string(arg$Name), "")
  list(
    args = rlang::set_names(lapply(entry$Args, function(arg) new_type(arg$Type)), names),
    result = if (!identical(entry$ReturnType$Type, "null")) new_type(entry$ReturnType)
  )
}

one_string <- function(x) {
  if (!rlang::is_string(x)) abort_protocol("A name or type in it is not a string.")
  x
}
