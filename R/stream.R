# Arrow IPC streams as raw vectors: written by the codec, read with nanoarrow.

# One raw vector: `header`, then the stream of `data`.
write_stream <- function(data, header = raw(), call) {
  data <- if (is.null(data)) data.frame() else sent_as(data)
  if (is.data.frame(data) && !has_stream_method(data)) {
    encode_record(data, header, call)
  } else {
    encode_arrow(as_record_stream(data, call), header, call)
  }
}

# Whether a subclass of data.frame has a method of its own to become a stream.
has_stream_method <- function(data) {
  classes <- setdiff(class(data), c("AsIs", "data.table", "tbl_df", "tbl", "data.frame"))
  any(vapply(classes, function(class) {
    !is.null(utils::getS3method("as_nanoarrow_array_stream", class, optional = TRUE, envir = asNamespace("nanoarrow")))
  }, NA))
}

# A stream of records, which is what a data frame is in Arrow.
as_record_stream <- function(data, call) {
  stream <- tryCatch(nanoarrow::as_nanoarrow_array_stream(data), error = function(cnd) NULL)
  format <- tryCatch(stream$get_schema()$format, error = function(cnd) NULL)
  if (!identical(format, "+s")) {
    abort_invalid_argument(
      "data",
      "{.arg data} must be a data frame or an Arrow stream of records, not {.obj_type_friendly {data}}.",
      call = call
    )
  }
  stream
}

# The stream after the first `ahead` bytes. nanoarrow is given nothing that has not
# been verified. All batches are read here, so that bytes that are not a stream are an
# error of the call that received them, not of a later one.
read_stream <- function(bytes, ahead = 0, call = rlang::caller_env()) {
  if (length(bytes) == ahead) {
    return(nanoarrow::basic_array_stream(list(), schema = nanoarrow::na_struct()))
  }
  verified <- check_decoded(.Call(c_verify, bytes, ahead), call)
  rlang::try_fetch(
    {
      stream <- nanoarrow::read_nanoarrow(verified)
      schema <- stream$get_schema()
      nanoarrow::basic_array_stream(nanoarrow::collect_array_stream(stream), schema = schema)
    },
    error = function(cnd) {
      abort_protocol(
        "The reply's {length(verified)} byte{?s} are not an Arrow stream.",
        call = call,
        parent = cnd
      )
    }
  )
}
