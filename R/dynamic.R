# Arguments for Go's any, and for slices and maps of it: what encoding/json would make of
# them, which C writes as a tree of one piece.

# Whether a type is any, or lists and maps of nothing but any.
is_dynamic <- function(spec) {
  if (is.null(spec)) return(FALSE)
  spec$type == "dynamic" || spec$type %in% c("list", "map") && is_dynamic(spec$element)
}

# Values for Go's any, which C writes: `x` as a whole, or each of its rows.
coerce_dynamic <- function(x, spec, path, rows = FALSE) {
  values <- .Call(c_encode_dynamic, x, shape_of_dynamic(spec), rows, native_encoding(), mangoro_send_as)
  if (inherits(values, "mangoro_codec_failure")) {
    where <- paste0(paste(c(path$arg, path$steps), collapse = "$"), values$path)
    abort_arguments(
      path$signature, "{.code {where}} cannot be sent{at_row(values$row)}: {values$text}.",
      arg = path$arg, row = if (values$row > 0) values$row, call = path$call
    )
  }
  structure(values, class = "mangoro_dynamic")
}

# "l" for each list and "m" for each map around any, outermost first.
shape_of_dynamic <- function(spec) {
  if (spec$type == "dynamic") return("")
  paste0(if (spec$type == "list") "l" else "m", shape_of_dynamic(spec$element))
}
