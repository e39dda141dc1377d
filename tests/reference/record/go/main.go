// Foreign eyes: Go's own sumdb/note, sumdb/tlog and crypto/mldsa, asked one JSON line at a time.
package main

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/mldsa"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"foreign/note"
	"foreign/tlog"
)

type question struct {
	Ask     string
	Note    []byte
	Text    []byte
	Keys    []string
	Seed    []byte
	Proof   [][]byte
	Size    int64
	Old     int64
	Index   int64
	Root    []byte
	OldRoot []byte
	Leaf    []byte
	Dir     string
	Public  []byte
	Message []byte
	Sig     []byte
	Entries [][]byte
}

type answer struct {
	Error  string
	Text   []byte
	Names  []string
	Note   []byte
	Proof  [][]byte
	Root   []byte
	Sig    []byte
	Public []byte
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	decode := json.NewDecoder(in)
	for {
		var q question
		if err := decode.Decode(&q); err != nil {
			return
		}
		var a answer
		if err := a.to(&q); err != nil {
			a.Error = err.Error()
		}
		out.Encode(a)
	}
}

func (a *answer) to(q *question) error {
	switch q.Ask {
	case "open":
		var known []note.Verifier
		for _, key := range q.Keys {
			v, err := verifier(key)
			if err != nil {
				return err
			}
			known = append(known, v)
		}
		n, err := note.Open(q.Note, note.VerifierList(known...))
		if err != nil {
			return err
		}
		a.Text = []byte(n.Text)
		for _, s := range n.Sigs {
			a.Names = append(a.Names, s.Name)
		}
	case "sign":
		s, err := note.NewSigner(q.Keys[0])
		if err != nil {
			return err
		}
		a.Note, err = note.Sign(&note.Note{Text: string(q.Text)}, s)
		return err
	case "record":
		return tlog.CheckRecord(hashes(q.Proof), q.Size, hash(q.Root), q.Index, hash(q.Leaf))
	case "tree":
		return tlog.CheckTree(hashes(q.Proof), q.Size, hash(q.Root), q.Old, hash(q.OldRoot))
	case "prove":
		r := tlog.TileHashReader(tlog.Tree{N: q.Size, Hash: hash(q.Root)}, folder(q.Dir))
		proof, err := tlog.ProveRecord(q.Size, q.Index, r)
		a.Proof = unhash(proof)
		return err
	case "prove-tree":
		r := tlog.TileHashReader(tlog.Tree{N: q.Size, Hash: hash(q.Root)}, folder(q.Dir))
		proof, err := tlog.ProveTree(q.Size, q.Old, r)
		a.Proof = unhash(proof)
		return err
	case "write":
		return a.write(q)
	case "mldsa-sign":
		key, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), q.Seed)
		if err != nil {
			return err
		}
		a.Public = key.PublicKey().Bytes()
		a.Sig, err = key.SignDeterministic(q.Message, crypto.Hash(0))
		return err
	default:
		return errors.New("what?")
	}
	return nil
}

// write builds a log of entries from nothing, tiles and bundles, as tlog has it.
func (a *answer) write(q *question) error {
	var stored []tlog.Hash
	r := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for n, entry := range q.Entries {
		more, err := tlog.StoredHashes(int64(n), entry, r)
		if err != nil {
			return err
		}
		stored = append(stored, more...)
	}
	size := int64(len(q.Entries))
	for _, t := range tlog.NewTiles(8, 0, size) {
		data, err := tlog.ReadTileData(t, r)
		if err != nil {
			return err
		}
		if err := save(filepath.Join(q.Dir, path(t)), data); err != nil {
			return err
		}
		if t.L == 0 {
			var bundle bytes.Buffer
			for _, entry := range q.Entries[t.N*256 : t.N*256+int64(t.W)] {
				binary.Write(&bundle, binary.BigEndian, uint16(len(entry)))
				bundle.Write(entry)
			}
			t.L = -1
			if err := save(filepath.Join(q.Dir, path(t)), bundle.Bytes()); err != nil {
				return err
			}
		}
	}
	root, err := tlog.TreeHash(size, r)
	a.Root = root[:]
	return err
}

func save(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

// path is the tile's path without its height, which C2SP fixes at 8 and leaves out.
func path(t tlog.Tile) string {
	p := strings.TrimPrefix(t.Path(), "tile/8/")
	return "tile/" + strings.Replace(p, "data/", "entries/", 1)
}

type folder string

func (folder) Height() int                         { return 8 }
func (folder) SaveTiles([]tlog.Tile, [][]byte)     {}
func (f folder) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(string(f), path(t)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// cosigner verifies cosignatures of types 0x04 and 0x06, which sumdb/note does not know.
type cosigner struct {
	name   string
	id     uint32
	public []byte
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.id }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) < 8 {
		return false
	}
	time := binary.BigEndian.Uint64(sig)
	if len(c.public) == ed25519.PublicKeySize {
		text := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, msg)
		return ed25519.Verify(c.public, []byte(text), sig[8:])
	}
	lines := strings.Split(string(msg), "\n")
	size, _ := strconv.ParseUint(lines[1], 10, 64)
	root, _ := base64.StdEncoding.DecodeString(lines[2])
	b := []byte("subtree/v1\n\x00")
	b = append(append(b, byte(len(c.name))), c.name...)
	b = binary.BigEndian.AppendUint64(b, time)
	b = append(append(b, byte(len(lines[0]))), lines[0]...)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint64(b, size)
	b = append(b, root...)
	key, err := mldsa.NewPublicKey(mldsa.MLDSA44(), c.public)
	return err == nil && mldsa.Verify(key, b, sig[8:], nil) == nil
}

func verifier(text string) (note.Verifier, error) {
	parts := strings.SplitN(text, "+", 3)
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || material[0] == 1 {
		return note.NewVerifier(text)
	}
	id, err := strconv.ParseUint(parts[1], 16, 32)
	return cosigner{parts[0], uint32(id), material[1:]}, err
}

func hash(data []byte) (h tlog.Hash) {
	copy(h[:], data)
	return h
}

func hashes(all [][]byte) (out []tlog.Hash) {
	for _, data := range all {
		out = append(out, hash(data))
	}
	return out
}

func unhash(all []tlog.Hash) (out [][]byte) {
	for _, h := range all {
		out = append(out, h[:])
	}
	return out
}
