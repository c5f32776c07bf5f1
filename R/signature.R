# What a manifest says about a function, in the form that calls are checked
# against. The keys of a manifest are those of FunctionSignature in Go.

# The signatures of a manifest by name. The manifest is a peer's: what it lacks
# or has of another type makes it none.
parse_signatures <- function(json, call) {
  force(json)
  rlang::try_fetch(
    {
      manifest <- jsonlite::parse_json(json)
      stopifnot(is.list(manifest), length(manifest) == 0 || !is.null(names(manifest)))
      Map(new_signature, manifest, names(manifest))
    },
    error = function(cnd) {
      abort_protocol("The manifest of the server does not describe its functions.", call = call, parent = cnd)
    }
  )
}

#   args        the names of the arguments
#   specs       a type for each
#   optional    TRUE for each that may be left out
#   defaults    what Go takes in its place, NULL where that is nothing
#   vectorized  one row of results for a row of arguments
#   recycles    Go brings arguments to the same length
#   boxed       a row is a call: an argument may be of any length
#   returns     TRUE if there is a result
#   record      TRUE if the result is a record, see record_value(); otherwise it is
#               the only column of one
#   result      its type, NULL if the manifest does not say
#   streams     TRUE if the result is a stream: the reply is it, and no column of one
#   raws        the names of the arguments of which each raw vector is one value, if
#               one raw vector is the result of such, see result_value()
#   plain       see plain_types()
#   last        what the last call began with, see call_header()
#   result_header  what results begin with
#   doc         what the function does, "" if nobody says
#   go          its declaration in Go, likewise
new_signature <- function(entry, name) {
  args <- lapply(entry$Args, function(arg) {
    list(name = one_string(arg$Name), spec = new_type(arg$Type), optional = isTRUE(arg$Optional))
  })
  list(
    name = name,
    args = vapply(args, `[[`, "", "name"),
    specs = lapply(args, `[[`, "spec"),
    optional = vapply(args, `[[`, TRUE, "optional"),
    defaults = lapply(entry$Args, function(arg) plain_default(arg$Default)),
    vectorized = isTRUE(entry$Vectorized),
    recycles = isTRUE(entry$Recycles),
    boxed = isTRUE(entry$Boxed),
    returns = !identical(entry$ReturnType$Type, "null"),
    record = !isTRUE(entry$Boxed) && !isTRUE(entry$Recycles) && names_record(entry$ReturnType$Type),
    result = if (rlang::is_string(entry$ReturnType$Type)) new_type(entry$ReturnType),
    streams = isTRUE(entry$Boxed) && identical(entry$ReturnType$Type, "stream"),
    raws = if (isTRUE(entry$Vectorized) && identical(entry$ReturnType$Type, "binary")) names_of_type(args, "binary"),
    plain = plain_types(args, isTRUE(entry$Vectorized)),
    last = new.env(parent = emptyenv()),
    result_header = envelope_header("result", name),
    doc = text_or_none(entry$Metadata$description),
    go = text_or_none(entry$Metadata$signature)
  )
}

# Whether a handler on records says that it returns one: a vector is called by its
# type, all else is the record that it is.
names_record <- function(type) !rlang::is_string(type) || type %in% c("struct", "any", "stream", "")

names_of_type <- function(args, type) {
  unlist(lapply(args, function(arg) if (arg$spec$type == type) arg$name))
}

# It is shown and never sent: only what is plain is of use.
plain_default <- function(x) if (is.atomic(x) && length(x) == 1) x

text_or_none <- function(x) if (rlang::is_string(x)) x else ""

# The R types that the arguments of a vectorized function may be of to go as they
# are, as numbers of R's C interface; NULL if there are none.
plain_types <- function(args, vectorized) {
  types <- c(bool = 10L, int32 = 13L, float64 = 14L, string = 16L)
  plain <- vapply(args, function(arg) {
    if (arg$spec$nullable && arg$spec$type %in% names(types)) types[[arg$spec$type]] else NA
  }, 1L)
  if (vectorized && length(plain) > 0 && !anyNA(plain)) plain
}

#   type      its name, see rgoipc.TypeSpec
#   nullable  whether NA is taken
#   element   the type of the elements of a list or map, NULL: any
#   fields    the types of the fields of a struct by name, NULL: any
#   optional  the names of those that may be left out
new_type <- function(spec) {
  fields <- spec$StructDef$Fields
  names <- vapply(fields, function(field) one_string(field$Name), "")
  list(
    type = one_string(spec$Type),
    nullable = isTRUE(spec$Nullable),
    element = if (!is.null(spec$ListSchema)) new_type(spec$ListSchema),
    fields = if (length(fields) > 0) {
      rlang::set_names(lapply(fields, function(field) new_type(field$Type)), names)
    },
    optional = names[vapply(fields, function(field) isTRUE(field$Optional), TRUE)]
  )
}

one_string <- function(x) {
  stopifnot(is.character(x), length(x) == 1)
  x
}
