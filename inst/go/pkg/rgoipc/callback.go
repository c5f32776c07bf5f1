package rgoipc

// RError is the error of R code that Go has called, through a function that R has given. A
// Go function whose parameter returns an error gets it from there:
//
//	var stop *rgoipc.RError
//	if _, err := f(x); errors.As(err, &stop) {
//		return fmt.Errorf("at %g: %w", x, err)
//	}
//
// If it returns that error, or one that wraps it, R's own condition is the parent of the one
// that the call raises.
type RError struct {
	Message string // of R's condition
	Class   string // the first class that it has

	number int // by which R knows the condition
}

func newRError(f *failure) *RError {
	return &RError{Message: f.Message, Class: f.Class, number: f.Number}
}

// Error returns the message.
func (e *RError) Error() string { return e.Message }
