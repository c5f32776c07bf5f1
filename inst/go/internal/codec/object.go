package codec

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"mangoro.local/internal/gotype"
	"mangoro.local/internal/object"
)

// objectCodec is the codec of a pointer whose values are objects: they stay in Go, and R
// has their ids, as text.
type objectCodec struct{ t reflect.Type }

// objectCodecOf returns the codec of a type whose values are objects, and whether it is one.
func objectCodecOf(t reflect.Type) (codec, bool) {
	if t.Kind() != reflect.Pointer || t.Name() != "" || t.Elem().Kind() != reflect.Struct || t.Elem().Name() == "" {
		return nil, false
	}
	elem := t.Elem()
	if gotype.HasOwnMeaning(elem.PkgPath()) {
		return nil, false
	}
	if _, scalar := scalarCodec(elem); scalar {
		return nil, false
	}
	if _, shaped := shapeOf(elem); shaped {
		return nil, false
	}
	var methods []string
	for i := range t.NumMethod() {
		methods = append(methods, t.Method(i).Name)
	}
	fields := false
	for i := range elem.NumField() {
		fields = fields || elem.Field(i).IsExported()
	}
	return objectCodec{t}, gotype.IsObject(methods, fields)
}

// ObjectName returns the name of a type of objects, as R shows it: "Index", or
// "tree.Index" of another package.
func ObjectName(t reflect.Type) string { return strings.TrimPrefix(t.Elem().String(), "main.") }

func (c objectCodec) goType() reflect.Type { return c.t }

func (c objectCodec) describe() Type {
	return Type{Name: TypeObject, Nullable: true, Object: ObjectName(c.t), object: c.t}
}

func (c objectCodec) scalar() bool { return false }

func (c objectCodec) nests(arrow.ListLikeType) bool { return false }

func (c objectCodec) read(col Column) (any, Bitmap, error) {
	ids, valid, err := readStrings(col)
	if err != nil {
		return nil, Bitmap{}, col.mustBe("an object")
	}
	rows := reflect.MakeSlice(reflect.SliceOf(c.t), len(ids), len(ids))
	for i, text := range ids {
		if !valid.Has(i) {
			continue
		}
		id, ok := object.ParseID(text)
		var ptr any
		if ok && col.objects != nil {
			ptr, ok = col.objects.Find(id)
		}
		if !ok || ptr == nil {
			return nil, Bitmap{}, badValue("must be an object that is still there", i, "none")
		}
		value := reflect.ValueOf(ptr)
		if value.Type() != c.t {
			return nil, Bitmap{}, badValue(fmt.Sprintf("must be a *%s", ObjectName(c.t)), i, "a *"+ObjectName(value.Type()))
		}
		rows.Index(i).Set(value)
	}
	return rows.Interface(), Bitmap{}, nil
}

func (c objectCodec) write(values any, valid Bitmap, args *Arguments) (Column, error) {
	rows := reflect.ValueOf(values)
	n := rows.Len()
	objects := args.objects()
	if objects == nil || args.inAny || args.nested > 0 {
		return Column{}, wrong("has a *%s, an object, which R only gets in a result of its type, not in any", ObjectName(c.t))
	}
	ids := make([]string, n)
	known := clearable{Bitmap: valid, n: n}
	for i := range n {
		switch row := rows.Index(i); {
		case !valid.Has(i):
		case row.IsNil():
			known.clear(i)
		default:
			ids[i] = objects.Put(row.Interface()).String()
		}
	}
	return writeStrings(ids, known.Bitmap, args)
}

// objects returns those that the call of the arguments uses. Nil: there is no such call.
func (a *Arguments) objects() *object.Uses {
	if a == nil || a.caller == nil {
		return nil
	}
	return a.caller.Objects()
}

// IsResult says that what is written from now on is the result, which R may not get.
func (a *Arguments) IsResult() {
	if objects := a.objects(); objects != nil {
		objects.Result()
	}
}

// IsObject tells whether the values of a type are objects.
func IsObject(t reflect.Type) bool {
	_, is := objectCodecOf(t)
	return is
}
