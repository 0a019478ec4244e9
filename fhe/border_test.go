package fhe_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/tuneinsight/lattigo/v5/ring"
)

const ours = "github.com/signet-ml/signet/"

// leaks returns one line for each way by which a holder of a value of the given types, from another module, comes to a
// value of an internal type or of somebody else's: an exported method's result or argument, an exported field or an
// element, whatever is embedded. Methods of other modules' types are not followed.
func leaks(roots ...reflect.Type) []string {
	var out []string
	seen := map[reflect.Type]bool{}
	var walk func(t reflect.Type, way string)
	walk = func(t reflect.Type, way string) {
		if seen[t] {
			return
		}
		seen[t] = true
		first, _, _ := strings.Cut(t.PkgPath(), "/")
		if strings.Contains(t.PkgPath(), "/internal/") || strings.Contains(first, ".") && !strings.HasPrefix(t.PkgPath(), ours) {
			out = append(out, fmt.Sprintf("%s is a %v", way, t))
			return
		}
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan:
			walk(t.Elem(), way)
		case reflect.Map:
			walk(t.Key(), way+"'s key")
			walk(t.Elem(), way)
		case reflect.Func:
			for i := range t.NumIn() {
				walk(t.In(i), fmt.Sprintf("%s's argument %d", way, i))
			}
			for i := range t.NumOut() {
				walk(t.Out(i), way+"()")
			}
		case reflect.Struct:
			for f := range t.NumField() {
				if f := t.Field(f); f.IsExported() {
					walk(f.Type, way+"."+f.Name)
				}
			}
		}
		holder := t
		if t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer {
			holder = reflect.PointerTo(t)
		}
		for i := range holder.NumMethod() { // exported ones, promoted ones too
			m := holder.Method(i)
			walk(m.Type, way+"."+m.Name)
		}
	}
	for _, t := range roots {
		walk(t, t.String())
	}
	return out
}

// TestNothingInternalIsReached follows everything that a module which imports fhe can do with its values.
func TestNothingInternalIsReached(t *testing.T) {
	for _, line := range leaks(
		reflect.TypeFor[fhe.Parameters](), reflect.TypeFor[fhe.Ciphertext](), reflect.TypeFor[fhe.Bundle](), reflect.TypeFor[fhe.PublicKey](),
		reflect.TypeFor[fhe.EvaluationKey](), reflect.TypeFor[fhe.EvaluationKeys](), reflect.TypeFor[fhe.Encoder](), reflect.TypeFor[fhe.Scale](),
		reflect.TypeOf(fhe.NewParameters), reflect.TypeOf(fhe.ReadParameters), reflect.TypeOf(fhe.NewEncoder),
		reflect.TypeOf(fhe.CiphertextFromLimbs), reflect.TypeOf(fhe.NewEvaluationKey),
	) {
		t.Error(line)
	}
}

type leakyField struct{ Ring *ring.SubRing }

type leakyEmbedding struct{ leakyMethod }

type leakyMethod struct{}

func (*leakyMethod) Rings() map[string][]ring.SubRing { return nil }

func TestLeaksAreNoticed(t *testing.T) {
	for _, typ := range []reflect.Type{
		reflect.TypeFor[leakyField](), reflect.TypeFor[leakyEmbedding](), reflect.TypeFor[*leakyMethod](),
		reflect.TypeFor[interface{ Take(func(ring.Poly)) }](),
	} {
		if len(leaks(typ)) == 0 {
			t.Errorf("%v hands out a ring, and nobody noticed", typ)
		}
	}
	if got := leaks(reflect.TypeFor[fhe.Digest]()); got != nil {
		t.Errorf("a digest hands out nothing: %q", got)
	}
}
