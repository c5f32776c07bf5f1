# The time zone of the session.

# The name of the zone of times in R that do not name one; NA if it is not known. It is
# looked up again only when TZ changes.
session_zone <- function() {
  tz <- Sys.getenv("TZ", NA_character_)
  if (is.null(the$zone) || !identical(the$tz, tz)) {
    the$zone <- find_zone(tz)
    the$tz <- tz
  }
  the$zone
}

# TZ may be unset, a name, or the file of a zone.
find_zone <- function(tz) {
  if (is.na(tz)) {
    return(system_zone())
  }
  tz <- sub("^:", "", tz)
  if (tz == "") {
    return("UTC")
  }
  if (startsWith(tz, "/")) zone_of_file(tz) %||% unnamed_zone() else enc2utf8(tz)
}

# From the link that the system's own functions follow, if there is one: that starts no
# other program.
system_zone <- function() {
  zone <- zone_of_file("/etc/localtime")
  if (is.null(zone)) zone <- suppressWarnings(Sys.timezone())
  if (is.na(zone)) unnamed_zone() else zone
}

# "Europe/Paris" for /usr/share/zoneinfo/Europe/Paris, or for a link to it. NULL if the
# name of the file does not tell.
zone_of_file <- function(file) {
  path <- c(file, normalizePath(file, "/", mustWork = FALSE))
  path <- grep("/zoneinfo/", path, fixed = TRUE, value = TRUE)
  if (length(path) > 0) sub("^(posix|right)/", "", sub(".*/zoneinfo/", "", path[[1]]))
}

# "UTC" on a machine whose local time is that, as it is where there are no time zones.
unnamed_zone <- function() {
  times <- structure(c(0, 1.5e7), class = c("POSIXct", "POSIXt"))
  if (identical(format(times), format(times, tz = "UTC"))) "UTC" else NA_character_
}
