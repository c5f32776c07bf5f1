package rgoipc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// arrowTypes are the Arrow types of names in a [TypeSpec]. Of lists and structs only the
// ID counts.
var arrowTypes = map[string]arrow.DataType{
	TypeInt32:   arrow.PrimitiveTypes.Int32,
	TypeInt64:   arrow.PrimitiveTypes.Int64,
	TypeFloat64: arrow.PrimitiveTypes.Float64,
	TypeString:  arrow.BinaryTypes.String,
	TypeBool:    arrow.FixedWidthTypes.Boolean,
	TypeList:    arrow.ListOf(arrow.Null),
	TypeStruct:  arrow.StructOf(),
}

// arguments returns the record with exactly the columns of the signature, in
// its order, or an error of [CodeInvalidArgument] that names what does not
// fit. A signature without arguments takes any record. The caller releases
// what it gets.
func (s FunctionSignature) arguments(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	if len(s.Args) == 0 {
		rec.Retain()
		return rec, nil
	}
	if err := s.checkNames(rec.Schema()); err != nil {
		return nil, err
	}
	fields := make([]arrow.Field, len(s.Args))
	columns := make([]arrow.Array, len(s.Args))
	for i, arg := range s.Args {
		at, ok := columnOf(rec.Schema(), arg.Name)
		if !ok { // optional, as checkNames has seen to
			missing := absent(arg.Type, int(rec.NumRows()))
			defer missing.Release()
			fields[i], columns[i] = arrow.Field{Name: arg.Name, Type: missing.DataType(), Nullable: true}, missing
			continue
		}
		column := rec.Column(at)
		if err := checkType(fmt.Sprintf("argument `%s`", arg.Name), arg.Type, column); err != nil {
			return nil, err
		}
		fields[i], columns[i] = rec.Schema().Field(at), column
	}
	if s.inOrder(rec.Schema()) {
		rec.Retain()
		return rec, nil
	}
	metadata := rec.Schema().Metadata()
	return array.NewRecordBatch(arrow.NewSchema(fields, &metadata), columns, rec.NumRows()), nil
}

// columnOf returns where the column of that name is.
func columnOf(schema *arrow.Schema, name string) (at int, ok bool) {
	for at := range schema.NumFields() {
		if schema.Field(at).Name == name {
			return at, true
		}
	}
	return 0, false
}

// inOrder tells whether the columns are the arguments, in their order.
func (s FunctionSignature) inOrder(schema *arrow.Schema) bool {
	if schema.NumFields() != len(s.Args) {
		return false
	}
	for i, arg := range s.Args {
		if schema.Field(i).Name != arg.Name {
			return false
		}
	}
	return true
}

// checkNames checks that each argument is there once, and nothing else.
func (s FunctionSignature) checkNames(schema *arrow.Schema) error {
	if s.inOrder(schema) {
		return nil
	}
	var wanted, missing []string
	for _, arg := range s.Args {
		wanted = append(wanted, arg.Name)
		if !arg.Optional && !schema.HasField(arg.Name) {
			missing = append(missing, arg.Name)
		}
	}
	var got, unknown, twice []string
	for _, field := range schema.Fields() {
		switch {
		case slices.Contains(got, field.Name):
			twice = append(twice, field.Name)
		case !slices.Contains(wanted, field.Name):
			unknown = append(unknown, field.Name)
		}
		got = append(got, field.Name)
	}
	var problems []string
	for _, p := range []struct {
		problem string
		names   []string
	}{{"missing", missing}, {"unknown", unknown}, {"given twice", twice}} {
		if len(p.names) > 0 {
			problems = append(problems, p.problem+": "+quoted(p.names))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	takes := "no columns"
	if len(wanted) > 0 {
		takes = "the columns " + quoted(wanted)
	}
	return errorf(CodeInvalidArgument, "it takes %s; %s", takes, strings.Join(problems, "; "))
}

func quoted(names []string) string {
	return "`" + strings.Join(names, "`, `") + "`"
}

// absent stands for the values of an optional argument that is not there.
func absent(spec TypeSpec, rows int) arrow.Array {
	dataType := arrowTypes[spec.Type]
	if _, nested := dataType.(arrow.NestedType); nested || dataType == nil {
		dataType = arrow.Null
	}
	return array.MakeArrayOfNull(memory.DefaultAllocator, dataType, rows)
}

// checkType compares a column, and what it contains, with its description.
// Errors call the column `what`: "argument `x`".
func checkType(what string, spec TypeSpec, column arrow.Array) error {
	want := arrowTypes[spec.Type]
	if want == nil {
		return nil
	}
	if got := column.DataType(); got.ID() != want.ID() {
		return errorf(CodeInvalidArgument, "%s must be %s, not %s", what, spec.Type, got)
	}
	if !spec.Nullable && column.NullN() > 0 {
		return errorf(CodeInvalidArgument, "%s takes no missing values, but row %d is missing", what, firstNull(column)+1)
	}
	switch column := column.(type) {
	case *array.Struct:
		return checkFields(what, spec.StructDef, column)
	case *array.List:
		if spec.ListSchema != nil {
			return checkType("an element of "+what, *spec.ListSchema, column.ListValues())
		}
	}
	return nil
}

func checkFields(what string, def *StructDef, column *array.Struct) error {
	if def == nil {
		return nil
	}
	structType := column.DataType().(*arrow.StructType)
	for _, field := range def.Fields {
		at, ok := structType.FieldIdx(field.Name)
		if !ok && field.Optional {
			continue
		}
		if !ok {
			return errorf(CodeInvalidArgument, "%s has no field `%s`", what, field.Name)
		}
		if err := checkType(fmt.Sprintf("field `%s` of %s", field.Name, what), field.Type, column.Field(at)); err != nil {
			return err
		}
	}
	return nil
}

func firstNull(column arrow.Array) int {
	for i := range column.Len() {
		if column.IsNull(i) {
			return i
		}
	}
	return -1
}
