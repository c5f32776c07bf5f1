times_in <- function(zone, seconds = c(1764130000, NA)) {
  structure(seconds, class = c("POSIXct", "POSIXt"), tzone = zone)
}

# R's local time has no tzone or an empty one; it comes back without one.
known_zones <- list(
  NULL, "", "UTC", "GMT", "America/New_York", "Asia/Kolkata", "Etc/GMT+5", "<+03>-3", "CET-1CEST,M3.5.0,M10.5.0/3"
)
far <- 253402300799 + c(0, 1 / 3, 1e8)

test_that("Go sees the hour that R shows, in every zone", {
  server <- local_server(test_source("arrow"))
  hour <- function(x) mangoro_call(server$sock, "hour", x)
  for (tz in c("America/New_York", "Australia/Lord_Howe", "UTC", "EST5EDT,M3.2.0,M11.1.0")) {
    withr::local_timezone(tz)
    expect_identical(hour(as.POSIXct("2024-01-01 12:00:00")), 12L)
    expect_identical(hour(as.POSIXct("2024-07-01 12:00:00")), 12L)
    for (zone in known_zones) {
      for (seconds in list(c(1764130000, NA), 1764130000.1234567, c(1764130000.1234567, far), 1764130000L)) {
        x <- times_in(zone, seconds)
        expect_identical(hour(x), as.POSIXlt(x)$hour, info = paste(tz, zone))
      }
    }
  }
})

test_that("times come back in their zone, with values and without", {
  server <- local_server(test_source("arrow"))
  call <- function(...) mangoro_call(server$sock, ...)
  withr::local_timezone("America/New_York")
  for (zone in c(known_zones, list("+05:30"))) {
    wanted <- if (identical(zone, "")) NULL else zone
    for (seconds in list(c(1764130000, NA), c(1764130000.1234567, far), NA_real_, double())) {
      x <- times_in(zone, seconds)
      info <- paste(deparse(x), collapse = " ")
      zone_of <- function(x) attr(x, "tzone")
      expect_identical(zone_of(call("tomorrow", x)), wanted, info = info)
      expect_identical(zone_of(call("maybe", x)), wanted, info = info)
      expect_identical(zone_of(call("nulls", x)), wanted, info = info)
      there <- x[!is.na(x)]
      expect_equal(call("times", there), times_in(wanted, as.numeric(there)), info = info)
      expect_identical(zone_of(call("lists", list(there))[[1]]), wanted, info = info)
      for (one in as.list(utils::head(there, 1))) {
        expect_identical(zone_of(call("map", list(a = one))), wanted, info = info)
        packet <- list(body = raw(), sent = one)
        expect_identical(zone_of(call("packet", packet)$sent), wanted, info = info)
      }
    }
  }
})

test_that("every zone comes back as it came", {
  server <- local_server(test_source("arrow"))
  zones <- c(known_zones, list("+05:30", "-03", c("", "EST", "EDT"), c("Asia/Tokyo", "JST", "JDT"), "No/Where"))
  for (tz in c("America/New_York", "UTC", "No/Where", "")) {
    withr::local_timezone(tz)
    for (zone in zones) {
      for (seconds in list(c(1764130000, NA), c(far, NaN, Inf, NA), double(), c(1L, NA))) {
        x <- times_in(zone, seconds)
        info <- paste(tz, paste(deparse(x), collapse = " "))
        expect_same(mangoro_call(server$sock, "array", x), x, info = info)
        frame <- structure(list(x = x), class = "data.frame", row.names = .set_row_names(length(x)))
        expect_same(echo_record(server$sock, "record", frame), frame, info = info)
      }
    }
  }
})

test_that("a zone that Go does not know is refused by what needs it", {
  server <- local_server(test_source("arrow"))
  for (zone in list("No/Where", c("Foo", "Bar", "Baz"))) {
    cnd <- expect_error(mangoro_call(server$sock, "hour", times_in(zone)), class = "mangoro_error_invalid_argument")
    expect_match(conditionMessage(cnd), zone[[1]], fixed = TRUE)
  }
  mixed <- list(times_in("UTC", 0), times_in("Asia/Tokyo", 0))
  expect_error(mangoro_call(server$sock, "lists", mixed), "Asia/Tokyo", class = "mangoro_error_invalid_argument")
})

test_that("Go's local time is R's", {
  withr::local_timezone("America/New_York")
  server <- local_start(test_source("arrow"))
  expect_null(attr(server$now(TRUE), "tzone"))
  local <- as.POSIXct("2024-01-01 12:00:00")
  expect_true(server$is_local(local))
  expect_false(server$is_local(as.POSIXct("2024-01-01", "America/New_York")))
  # R moves on, and Go does not.
  withr::local_timezone("Asia/Tokyo")
  expect_identical(attr(server$now(TRUE), "tzone"), "America/New_York")
  local <- as.POSIXct("2024-01-01 12:00:00")
  expect_identical(c(server$hour(local), server$hour(server$tomorrow(local))), c(12L, 12L))
  expect_null(attr(server$tomorrow(local), "tzone"))
  expect_same(server$array(local), local)

  withr::local_timezone("EST5EDT,M3.2.0,M11.1.0")
  rule <- local_start(test_source("arrow"))
  expect_null(attr(rule$now(TRUE), "tzone"))
  paris <- local_start(test_source("arrow"), env = c(TZ = "Europe/Paris"))
  expect_identical(attr(paris$now(TRUE), "tzone"), "Europe/Paris")
})

test_that("offsets that Go has read have names that R knows", {
  server <- local_server(test_source("arrow"))
  parse <- function(x) attr(mangoro_call(server$sock, "parse", x), "tzone")
  expect_identical(parse("2024-01-01T12:00:00+05:30"), "<+0530>-05:30")
  expect_identical(parse("2024-01-01T12:00:00-07:00"), "Etc/GMT+7")
  expect_identical(parse("2024-01-01T12:00:00Z"), "UTC")
  expect_identical(parse(c("2024-01-01T12:00:00+05:30", "2024-01-01T12:00:00+06:30")), "UTC")
  shown <- format(mangoro_call(server$sock, "parse", "2024-01-01T12:00:00+05:30"), "%H:%M")
  expect_identical(shown, "12:00")
})

test_that("NaN among times is missing, and Inf is refused", {
  server <- local_server(test_source("arrow"))
  for (class in list("Date", c("POSIXct", "POSIXt"))) {
    expect_identical(mangoro_call(server$sock, "hour", structure(c(NaN, 0), class = class, tzone = "UTC")), c(NA, 0L))
    cnd <- expect_error(
      mangoro_call(server$sock, "hour", structure(c(0, Inf), class = class, tzone = "UTC")),
      class = "mangoro_error_invalid_argument"
    )
    expect_match(conditionMessage(cnd), "row 2", fixed = TRUE)
  }
})

test_that("the zone of the session is what TZ says", {
  named <- c("Europe/Paris" = "Europe/Paris", ":Asia/Tokyo" = "Asia/Tokyo", "EST5EDT" = "EST5EDT")
  for (tz in names(named)) {
    withr::local_envvar(TZ = tz)
    expect_identical(session_zone(), named[[tz]])
  }
  withr::local_envvar(TZ = "")
  expect_identical(session_zone(), "UTC")
  withr::local_envvar(TZ = NA)
  expect_identical(session_zone(), find_zone(NA))
  expect_type(session_zone(), "character")
})

test_that("a zone may be told by its file", {
  skip_on_os("windows")
  dir <- withr::local_tempdir()
  dir.create(file.path(dir, "zoneinfo", "right", "Europe"), recursive = TRUE)
  file.create(file.path(dir, "zoneinfo", "right", "Europe", "Paris"))
  link <- file.path(dir, "localtime")
  file.symlink(file.path(dir, "zoneinfo", "right", "Europe", "Paris"), link)
  expect_identical(zone_of_file(link), "Europe/Paris")
  expect_null(zone_of_file(file.path(dir, "other")))
  expect_identical(find_zone(paste0(":", link)), "Europe/Paris")
})

test_that("local time in a zone that nobody can name is refused", {
  local_mocked_bindings(session_zone = function() NA_character_)
  cnd <- expect_error(encode_record(data.frame(x = times_in(NULL))), class = "mangoro_error_invalid_argument")
  expect_match(conditionMessage(cnd), "Sys.setenv", fixed = TRUE)
  expect_type(encode_record(data.frame(x = times_in("UTC"))), "raw")
})

test_that("offsets of any Arrow stream have names that R knows", {
  zones <- c(
    "+05:30" = "<+0530>-05:30", "-02:30" = "<-0230>+02:30", "-0700" = "Etc/GMT+7", "+14" = "Etc/GMT-14",
    "+15:00" = "<+1500>-15:00", "-13:00" = "<-1300>+13:00", "+00:00" = "UTC", "-00" = "UTC",
    "Asia/Tokyo" = "Asia/Tokyo", "+5:30" = "+5:30", "+24:00" = "+24:00", "+05:60" = "+05:60"
  )
  times <- structure(c(0, NA), class = c("POSIXct", "POSIXt"), tzone = "UTC")
  for (zone in names(zones)) {
    column <- nanoarrow::as_nanoarrow_array(times, schema = nanoarrow::na_timestamp("s", zone))
    record <- nanoarrow::nanoarrow_array_init(nanoarrow::na_struct(list(x = nanoarrow::na_timestamp("s", zone))))
    record <- nanoarrow::nanoarrow_array_modify(record, list(length = 2, children = list(x = column)))
    got <- decode_record(encode_arrow(record))$x
    expect_identical(got, structure(times, tzone = zones[[zone]]), info = zone)
  }
  shown <- format(structure(0, class = c("POSIXct", "POSIXt"), tzone = zones[["-02:30"]]), "%H:%M")
  expect_identical(shown, "21:30")
})
