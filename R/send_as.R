# What objects of other packages' classes are sent as.

#' How a class is sent to Go
#'
#' `mangoro_send_as()` is a generic for authors of classes. Its method for a class
#' returns the object that is sent in the place of `x`, for an argument as for a
#' column of a data frame or an element of a list.
#'
#' @param x An object of a class that is none of those in the table of
#'   `vignette("types")`. No default.
#' @param ... Nothing.
#'
#' @details
#' Most classes need no method. A vector, list or data frame of any class crosses as
#' what it is made of, and its class and attributes travel with it as long as they
#' are plain data; the vignette has the rules. A method is for
#'
#' * what has no vector to cross: records of several vectors, S4 objects,
#'   environments;
#' * values that mean something else in Go, such as numbers of a unit;
#' * attributes that cannot cross, such as functions or external pointers.
#'
#' Go sees what the method returns, and that is what comes back: a method has no
#' way back to the class.
#'
#' @returns A vector, list or data frame; not `NULL`. The default method returns `x`.
#'
#' @section Errors:
#' An object that cannot cross, with or without a method, is an error of class
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

# The same in a moment where `x` is of no class.
sent_as <- function(x) if (is.object(x)) mangoro_send_as(x) else x
