package codec

import (
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// dynamic is the kind of any, which is a result: the type of the value, when it is
// there, says what R gets. Nil is NULL.
type dynamic struct{ arrays }

func (dynamic) Write(value reflect.Value, args *Arguments) (Column, error) {
	if value.IsNil() {
		return Missing(1), nil
	}
	var kind Kind
	var err error
	switch value.Interface().(type) {
	case arrow.Array:
		kind = arrays{}
	case arrow.RecordBatch:
		kind = batches{}
	case array.RecordReader:
		kind = streams{}
	default:
		kind, err = Result(value.Elem().Type())
	}
	if err != nil {
		return Column{}, wrong("cannot be sent to R: %v", err)
	}
	return kind.Write(value.Elem(), args)
}
