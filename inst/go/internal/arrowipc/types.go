package arrowipc

import "fmt"

// fixed verifies the parameters of a type whose values have a width in bytes.
func (f *field) fixed(t table) error {
	switch f.kind {
	case typeInt:
		return f.integer(t)
	case typeDecimal:
		return f.decimal(t)
	case typeFixedBinary:
		f.width = int64(t.i32(0, 0))
	case typeFloat:
		if precision := t.i16(0, 0); precision >= 0 && precision <= 2 {
			f.width = 2 << precision
		}
	case typeDate, typeTime, typeTimestamp, typeDuration, typeInterval:
		f.temporal(t)
	default:
		return fmt.Errorf("%s is not known", typeName(f.kind))
	}
	if f.width <= 0 {
		return fmt.Errorf("%s with parameters that are not supported", typeName(f.kind))
	}
	return nil
}

func (f *field) integer(t table) error {
	switch bits := t.i32(0, 0); bits {
	case 8, 16, 32, 64:
		f.width, f.signed = int64(bits/8), t.flag(1)
		return nil
	default:
		return fmt.Errorf("integers of %d bits are not supported", bits)
	}
}

// temporal sets the width of dates, times and spans of time, or leaves it 0 if
// there is no such type.
func (f *field) temporal(t table) {
	unit, zone := int16(0), ""
	switch f.kind {
	case typeDate: // day, millisecond (the default)
		if unit = t.i16(0, 1); unit == 0 || unit == 1 {
			f.width = 4 << unit
		}
	case typeTime: // 32 bits for second and millisecond (the default), else 64
		unit = t.i16(0, 1)
		bits := t.i32(1, 32)
		if bits == 32 && (unit == 0 || unit == 1) || bits == 64 && (unit == 2 || unit == 3) {
			f.width = int64(bits / 8)
		}
	case typeTimestamp:
		zone = string(t.text(1))
		if unit = t.i16(0, 0); unit >= 0 && unit <= 3 {
			f.width = 8
		}
	case typeDuration:
		if unit = t.i16(0, 1); unit >= 0 && unit <= 3 {
			f.width = 8
		}
	case typeInterval: // months; days and milliseconds; months, days and nanoseconds
		if unit = t.i16(0, 0); unit >= 0 && unit <= 2 {
			f.width = 4 << unit
		}
	}
	f.param = fmt.Sprint(unit, zone)
}

// decimal bounds the scale by the powers of ten that arrow-go has for the width.
func (f *field) decimal(t table) error {
	precision, scale, bits := t.i32(0, 0), t.i32(1, 0), t.i32(2, 128)
	limit := map[int32]int32{32: 9, 64: 18, 128: 38, 256: 76}[bits]
	if precision < 1 || precision > limit || scale < -limit || scale > limit {
		return fmt.Errorf("decimal(%d, %d) of %d bits is not supported", precision, scale, bits)
	}
	f.width, f.param = int64(bits/8), fmt.Sprint(precision, scale)
	return nil
}
