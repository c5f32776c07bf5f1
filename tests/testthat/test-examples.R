# The programs of inst/examples, each beside the same in R.

example_file <- function(name) system.file("examples", name, package = "mangoro", mustWork = TRUE)
local_example <- function(name, frame = parent.frame()) local_source(example_file(name), frame = frame)

test_that("the quality of reads by position", {
  fastq <- local_example("fastq.go")
  quality <- c("IIIIHG5", "IHII+", "", "!")
  dir <- withr::local_tempdir()
  file <- file.path(dir, "reads.fastq")
  writeLines(rbind(paste0("@read", seq_along(quality)), strrep("A", nchar(quality)), "+", quality), file)

  values <- lapply(quality, function(text) utf8ToInt(text) - 33L)
  position <- unlist(lapply(values, seq_along))
  by_position <- split(unlist(values), position)
  expected <- data.frame(
    position = 1:7, reads = lengths(by_position, use.names = FALSE),
    mean = vapply(by_position, mean, 0, USE.NAMES = FALSE), min = vapply(by_position, min, 0L, USE.NAMES = FALSE)
  )
  expect_equal(fastq$Quality(file), expected)

  # R makes the path absolute.
  withr::local_dir(dir)
  expect_equal(fastq$Quality("reads.fastq"), expected)
})

test_that("a file without reads, without sense, and none", {
  fastq <- local_example("fastq.go")
  file <- withr::local_tempfile(lines = character())
  expect_identical(nrow(fastq$Quality(file)), 0L)
  writeLines("GATTACA", file)
  expect_error(fastq$Quality(file), "line 1 is not the name of a read", class = "mangoro_error_handler")
  expect_error(fastq$Quality(tempfile()), class = "mangoro_error_handler")
})

test_that("the words of sequences, both strands as one", {
  kmers <- local_example("kmers.go")
  set.seed(1)
  sequences <- replicate(20, paste(sample(c("A", "C", "G", "T"), 30, TRUE), collapse = ""))
  for (k in c(1, 3, 8)) {
    words <- unlist(lapply(sequences, function(x) substring(x, 1:(31 - k), k:30)))
    reverse <- vapply(strsplit(chartr("ACGT", "TGCA", words), ""), function(x) paste(rev(x), collapse = ""), "")
    # pmin() compares as the locale does, Go by bytes.
    counts <- withr::with_collate("C", table(pmin(words, reverse)))
    expect_identical(kmers$Kmers(sequences, k), stats::setNames(as.vector(counts), names(counts)))
  }
  expect_length(kmers$Kmers("GATTACA", 8), 0)
})

test_that("the ruin of gamblers is near its probability", {
  ruin <- local_example("ruin.go")
  start <- c(a = 2, b = 5, c = 8, none = NA)
  n <- 10000
  for (p in c(0.5, 0.4)) {
    odds <- (1 - p) / p
    exact <- if (p == 0.5) 1 - start / 10 else (odds^start - odds^10) / (1 - odds^10)
    share <- ruin$Ruin(start, 10, n, p, seed = 1)
    expect_named(share, names(start))
    expect_identical(is.na(share), is.na(start))
    # Six standard deviations.
    expect_lt(max(abs(share - exact), na.rm = TRUE), 6 * 0.5 / sqrt(n))
    expect_identical(ruin$Ruin(start, 10, n, p, seed = 1), share)
  }
})

test_that("draws of a logistic regression are where R has its estimates", {
  go <- local_example("fit.go")
  weight <- as.vector(scale(mtcars$wt))
  done <- numeric()
  task <- mangoro_async(go$Fit, weight, mtcars$am, 50000, .progress = function(d, n, label) done <<- c(done, d / n))
  draws <- mangoro_value(task)
  expect_identical(dim(draws), c(5000L, 2L))
  estimates <- stats::coef(stats::glm(mtcars$am ~ weight, stats::binomial))
  expect_lt(max(abs(vapply(draws, stats::median, 1) - estimates)), 0.7)
  expect_identical(done[[length(done)]], 1)
  expect_error(go$Fit(weight, 1, 50000), class = "mangoro_error_handler")
  expect_error(go$Fit(weight, mtcars$am, 10), class = "mangoro_error_handler")
})

test_that("distances on the globe", {
  server <- local_start(example_file("distance.go"))
  lat <- c(40.64, 33.94, 47.46, -90, 0)
  lon <- c(-73.78, -118.41, 8.55, 0, 180)
  radians <- function(x) x * pi / 180
  # The angle between two points on the unit sphere.
  angle <- function(lat1, lon1, lat2, lon2) {
    xyz <- function(lat, lon) cbind(cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat))
    chord <- xyz(radians(lat1), radians(lon1)) - xyz(radians(lat2), radians(lon2))
    2 * asin(sqrt(rowSums(chord^2)) / 2)
  }
  expect_equal(
    server$great_circle(lat, lon, rev(lat), rev(lon)),
    6371.0088 * angle(lat, lon, rev(lat), rev(lon))
  )
  # Anywhere, near each other, over the date line and a pole; atan2() is exact for all of them.
  set.seed(1)
  lat <- c(runif(1000, -90, 90), 89.9999, 12, 12)
  lon <- c(runif(1000, -180, 180), 0, 180, 359.9999)
  there <- c(sample(lat[1:1000]), 89.9999, 12.0001, 12)
  lon_there <- c(lon[1:500] + 1e-4, sample(lon[501:1000]), 180, -180, 0.0001)
  exact <- function(a1, a2, d) {
    atan2(
      sqrt((cos(a2) * sin(d))^2 + (cos(a1) * sin(a2) - sin(a1) * cos(a2) * cos(d))^2),
      sin(a1) * sin(a2) + cos(a1) * cos(a2) * cos(d)
    )
  }
  expected <- 6371.0088 * exact(radians(lat), radians(there), radians(lon_there - lon))
  for (distance in list(server$great_circle, server$great_circle_on_one_core)) {
    expect_lt(max(abs(distance(lat, lon, there, lon_there) / expected - 1)), 1e-9)
  }
  expect_identical(server$great_circle(NA, 0, 0, 0), NA_real_)
})

test_that("an index of words", {
  go <- local_example("index.go")
  words <- c("alpha", "alps", "beta")
  index <- go$NewIndex(rev(words))
  expect_identical(index$Lookup(c("al", "alp", "b", "c", "", NA)), c(2L, 2L, 1L, 0L, 3L, NA))
  index$Add(c("beta", "bet"))
  expect_identical(c(index$Len(), index$Lookup("bet")), c(4L, 2L))
  expect_identical(format(index)[[2]], "4 words")
  close(index)
  expect_error(index$Len(), "was closed", class = "mangoro_error_not_found")
})

test_that("the script of the index runs", {
  skip_if_no_go()
  script <- other_session(sprintf("source('%s')", example_file("index.R")))
  script$wait()
  expect_identical(script$get_exit_status(), 0L, info = paste(script$read_all_output(), collapse = "\n"))
})
