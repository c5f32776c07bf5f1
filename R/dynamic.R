# Go's any, and slices and maps of it: what encoding/json would make of an R value, which C
# writes as one tree, see src/dynamic_write.c.

# Whether a type is any, or lists and maps of nothing but any.
is_dynamic <- function(spec) {
  if (is.null(spec)) return(FALSE)
  spec$type == "dynamic" || spec$type %in% c("list", "map") && is_dynamic(spec$element)
}

# Values of the type `spec` as the codec takes them, of `x` as a whole or of each of its
# rows. If C fails, what check_encoded() takes.
dynamic_values <- function(x, spec, rows) {
  values <- .Call(c_encode_dynamic, x, shape_of_dynamic(spec), rows, native_encoding(), mangoro_send_as)
  if (inherits(values, "mangoro_codec_failure")) values else structure(values, class = "mangoro_dynamic")
}

# "l" for each list and "m" for each map around any, outermost first.
shape_of_dynamic <- function(spec) {
  if (spec$type == "dynamic") return("")
  paste0(if (spec$type == "list") "l" else "m", shape_of_dynamic(spec$element))
}
