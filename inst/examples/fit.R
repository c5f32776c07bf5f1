# A Shiny app with a long fit in Go, which runs in the background: the clock goes on meanwhile,
# in this browser and in all others. Run it with
#
#   shiny::runApp(system.file("examples", "fit.R", package = "mangoro"))

# nolint start: object_usage_linter. Shiny need not be there where this is linted.
library(shiny)
library(mangoro)

go <- mangoro_source(system.file("examples", "fit.go", package = "mangoro"))
weight <- as.vector(scale(mtcars$wt))

ui <- bslib::page_sidebar(
  title = "Does a heavier car have a manual transmission?",
  sidebar = bslib::sidebar(
    sliderInput("steps", "Million steps", min = 1, max = 50, value = 5),
    bslib::input_task_button("fit", "Fit", label_busy = "Fitting ..."),
    actionButton("cancel", "Cancel"),
    textOutput("clock")
  ),
  plotOutput("posterior", height = "320px", fill = FALSE)
)

server <- function(input, output, session) {
  task <- NULL # of this session

  fit <- ExtendedTask$new(function(steps) {
    bar <- Progress$new()
    task <<- mangoro_async(go$Fit, weight, mtcars$am, steps, .progress = function(done, total, label) {
      bar$set(done / total, sprintf("%.0f%% of the steps", 100 * done / total), label)
    })
    promises::finally(task, bar$close)
  })
  bslib::bind_task_button(fit, "fit")

  observeEvent(input$fit, fit$invoke(1e6 * input$steps))
  observeEvent(input$cancel, if (!is.null(task)) mangoro_cancel(task))
  session$onSessionEnded(function() if (!is.null(task)) mangoro_cancel(task))

  output$clock <- renderText({
    invalidateLater(1000)
    format(Sys.time(), "%H:%M:%S")
  })
  output$posterior <- renderPlot({
    draws <- tryCatch(fit$result(), mangoro_error_cancelled = function(cnd) validate("The fit was cancelled."))
    hist(
      draws$Slope,
      breaks = 50, col = "#00ADD8", border = "white", las = 1, yaxt = "n", ylab = "",
      xlab = "Change of the log odds, for one standard deviation of the weight",
      main = sprintf("Posterior of the slope, mean %.1f", mean(draws$Slope))
    )
  })
}

shinyApp(ui, server)
# nolint end
