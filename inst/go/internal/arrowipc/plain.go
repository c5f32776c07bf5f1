package arrowipc

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// plainLayout returns the layout of a plain type, with the width of its values or offsets
// or the size of its lists. Columns of plain types are read and written here: most
// calls have no others. A type is plain if its columns need nothing but their own buffers: not a
// dictionary, view, union or extension type. All others go through arrow-go's reader and
// writer, which handle every type and take longer.
func plainLayout(dataType arrow.DataType) (l layout, width int, ok bool) {
	switch t := dataType.(type) {
	case *arrow.NullType:
		return layoutNull, 0, true
	case *arrow.BooleanType:
		return layoutBits, 0, true
	case *arrow.StringType, *arrow.BinaryType:
		return layoutBinary, 4, true
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		return layoutBinary, 8, true
	case *arrow.ListType:
		return layoutList, 4, true
	case *arrow.LargeListType:
		return layoutList, 8, true
	case *arrow.MapType:
		return layoutMap, 4, true
	case *arrow.FixedSizeListType:
		return layoutFixedList, int(t.Len()), true
	case *arrow.StructType:
		return layoutStruct, 0, true
	case *arrow.DictionaryType, arrow.ExtensionType:
		return 0, 0, false
	case arrow.FixedWidthDataType:
		return layoutFixed, t.Bytes(), true
	}
	return 0, 0, false
}

// allPlain tells whether columns are plain and stay so: an extension type that the program
// does not know yet may become known.
func allPlain(fields []arrow.Field) bool {
	for _, f := range fields {
		if _, _, ok := plainLayout(f.Type); !ok || f.Metadata.FindKey(ipc.ExtensionTypeKeyName) >= 0 {
			return false
		}
		if nested, ok := f.Type.(arrow.NestedType); ok && !allPlain(nested.Fields()) {
			return false
		}
	}
	return true
}

// childType returns the type of a plain column's i-th child.
func childType(dataType arrow.DataType, i int) arrow.DataType {
	if t, ok := dataType.(*arrow.StructType); ok {
		return t.Field(i).Type
	}
	return dataType.(arrow.ListLikeType).Elem()
}
