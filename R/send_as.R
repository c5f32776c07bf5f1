# What objects of classes that mangoro does not know are sent as.

#' How a class is sent to Go
#'
#' `mangoro_send_as()` is a generic for authors of classes. Its method for a class
#' returns the object that is sent instead of `x`, as an argument, a column of a data
#' frame or an element of a list.
#'
#' @param x An object of a class that is not in the table of
#'   `vignette("types")`. No default.
#' @param ... Nothing.
#'
#' @details
#' Most classes need no method. A vector, list or data frame of any class is sent as
#' what it is made of, with its class and attributes as long as these are data; the
#' vignette has the rules. A method is for
#'
#' * objects that are not a vector: records of several vectors, S4 objects,
#'   environments;
#' * values that mean something else in Go, such as numbers of a unit;
#' * attributes that cannot be sent, such as functions or external pointers.
#'
#' Go sees what the method returns, and that is what comes back: the class does not.
#'
#' @returns A vector, list or data frame; not `NULL`. The default method returns `x`.
#'
#' @section Errors:
#' An object that cannot be sent, with or without a method, is an error of class
#' `mangoro_error_invalid_argument`. Errors of a method are passed on as they are.
#'
#' @examples
#' # Sums of money are kept in cents, and Go works in francs.
#' mangoro_send_as.money <- function(x, ...) unclass(x) / 100
#' mangoro_send_as(structure(c(1250, 99), class = "money"))
#' @export
mangoro_send_as <- function(x, ...) UseMethod("mangoro_send_as")

#' @export
mangoro_send_as.default <- function(x, ...) x

# As mangoro_send_as(), without a look for methods where there is no class: that takes
# 2 us for each argument of a call.
sent_as <- function(x) if (is.object(x)) mangoro_send_as(x) else x
