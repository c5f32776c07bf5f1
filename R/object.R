# Objects: Go values that R refers to.

# The value of a result, in which the objects of the type `spec` are R objects.
from_objects <- function(value, spec, connection) value

# An object as an argument: its id, a raw vector.
object_argument <- function(x, spec, path) abort_type(x, "an object of Go", path)
