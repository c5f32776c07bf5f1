# Computes the great-circle distance of every flight that left New York in 2013, in
# Go. Usage: Rscript flights.R [plot.png]. Needs Go and the package nycflights13.

library(mangoro)

step <- function(label, expr) {
  cli::cli_progress_step(label)
  started <- proc.time()[["elapsed"]]
  value <- force(expr)
  took <- proc.time()[["elapsed"]] - started
  cli::cli_progress_done()
  times <<- rbind(times, data.frame(step = label, seconds = took))
  invisible(value)
}
times <- data.frame(step = character(), seconds = numeric())

# A Go function in one line. R continues when Go crashes.
hypot <- step("Make an R function of a Go function", {
  mangoro_function("func Hypot(x, y float64) float64 { return math.Sqrt(x*x + y*y) }")
})
print(hypot(c(3, 5, NA), c(4, 12, 0)))
quit <- mangoro_function("func Quit() { os.Exit(3) }")
crash <- tryCatch(quit(), mangoro_error_connection = function(cnd) cnd$status)
cli::cli_alert_info("Go exits with status {crash}, and R continues")

# The flights, with the coordinates of both airports. Four airports in the
# Caribbean have no coordinates: the distance is NA.
flights <- step("Join flights to airports", {
  airports <- nycflights13::airports
  flights <- as.data.frame(nycflights13::flights)
  from <- match(flights$origin, airports$faa)
  to <- match(flights$dest, airports$faa)
  flights$lat1 <- airports$lat[from]
  flights$lon1 <- airports$lon[from]
  flights$lat2 <- airports$lat[to]
  flights$lon2 <- airports$lon[to]
  flights
})
points <- flights[c("lat1", "lon1", "lat2", "lon2")]

# A server in a single file: built, started and called with columns.
server <- step("Build and start the Go server", {
  mangoro_start(system.file("examples", "distance.go", package = "mangoro"))
})
print(server$great_circle)

in_go <- step(
  sprintf("Compute %s distances in Go", format(nrow(points), big.mark = ",")),
  do.call(server$great_circle, points)
)

# The same formula, which is the faster one in R too.
haversine <- function(lat1, lon1, lat2, lon2, radius = 6371.0088) {
  half <- pi / 360
  h <- sin((lat2 - lat1) * half)^2
  h <- h + (cos((lat1 + lat2) * half)^2 - h) * sin((lon2 - lon1) * half)^2
  2 * radius * asin(sqrt(pmin(h, 1)))
}
in_r <- step("Compute the same in R", do.call(haversine, unname(points)))

# Again, in turns: what it takes without the first call's preparations.
again <- step("Compute both again, 15 times", {
  elapsed <- function(f) {
    started <- Sys.time()
    do.call(f, unname(points))
    as.numeric(Sys.time() - started, units = "secs")
  }
  ways <- list(
    "R's vector arithmetic" = haversine, "Go, one core" = server$great_circle_on_one_core,
    "Go, all cores" = server$great_circle
  )
  invisible(lapply(ways, elapsed))
  apply(replicate(15, vapply(ways, elapsed, 0)), 1, stats::median)
})

close(server)

same <- all.equal(in_go, in_r, tolerance = 1e-12)
if (!isTRUE(same)) stop("Go and R disagree: ", same)
difference <- max(abs(in_go - in_r), na.rm = TRUE)
cli::cli_alert_success(
  "Go and R agree on all {format(length(in_go), big.mark = ',')} flights
   ({sum(is.na(in_go))} without coordinates are NA in both):
   they differ by at most {signif(difference, 1)} km"
)

for (way in names(again)[-1]) {
  ratio <- again[[way]] / again[[1]]
  verdict <- if (ratio < 0.95) "faster" else if (ratio > 1.05) "slower" else "as fast"
  cli::cli_alert_info(
    "{way}: {round(1000 * again[[way]], 1)} ms, {round(ratio, 2)} of the {round(1000 * again[[1]], 1)} ms of
     R's vector arithmetic: {verdict}"
  )
}

# One point for each destination, with its distance and the mean speed.
file <- commandArgs(trailingOnly = TRUE)
file <- if (length(file) > 0) file[[1]] else tempfile(fileext = ".png")
step("Draw the plot", {
  flights$km <- in_go
  flown <- flights[!is.na(flights$km) & !is.na(flights$air_time), ]
  routes <- data.frame(
    km = tapply(flown$km, flown$dest, mean),
    speed = tapply(flown$km / (flown$air_time / 60), flown$dest, mean),
    flights = as.vector(table(flown$dest))
  )
  grDevices::png(file, width = 1600, height = 1000, res = 180)
  par(mar = c(4.5, 4.5, 3, 1), las = 1, bty = "l")
  plot(
    routes$km, routes$speed,
    log = "x", ylim = range(routes$speed) * c(0.95, 1.05), cex = 0.4 + sqrt(routes$flights) / 40, pch = 21,
    bg = "#00ADD888", col = "#00758F",
    xlab = "Great-circle distance from New York (km, log scale)",
    ylab = "Mean speed over ground (km/h)",
    main = "Longer flights are faster: departures from New York, 2013"
  )
  above <- c("HNL", "ANC", "LAX", "MIA", "BOS", "PHL", "ATL", "DEN")
  text(routes[above, "km"], routes[above, "speed"], above, pos = 3, offset = 0.9, cex = 0.8)
  text(routes["ORD", "km"], routes["ORD", "speed"], "ORD", pos = 1, offset = 1, cex = 0.8)
  mtext("Each point is a destination; its area shows the number of flights", cex = 0.8)
  dev.off()
})

print(transform(times, seconds = sprintf("%.3f", seconds)), row.names = FALSE, right = FALSE)
cli::cli_alert_info("Plot: {.file {file}}")
