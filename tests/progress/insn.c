/* SPDX-License-Identifier: MIT */
/*
 * insn.c - lengths from two tables of opcodes, the rest from the few that
 * matter.
 *
 *	[legacy prefix]... [REX] opcode [ModRM [SIB] [displacement]] [immediate]
 *	                 VEX/EVEX opcode ...
 *
 * A table has one letter for an opcode:
 *
 *	.  nothing follows            m  ModRM
 *	b  1 byte                     M  ModRM and 1 byte
 *	z  4 bytes, 2 with 0x66       Z  ModRM and z
 *	w  2 bytes                    g  ModRM, and 1 byte if its reg is 0 or 1
 *	v  z, or 8 bytes with REX.W   G  ModRM, and z if its reg is 0 or 1
 *	o  an address of 8 bytes      e  enter: 3 bytes
 *	j  branch by 1 byte           J  branch by 4 bytes
 *	r  return                     R  return and 2 bytes
 *	?  none, a prefix, or not to be met in a program
 */
#include "progress/insn.h"

#include <stddef.h>

enum map { MAP_ONE, MAP_0F, MAP_0F38, MAP_0F3A };

enum {
	PREFIX_LOCK = 0xf0,
	PREFIX_REPNE = 0xf2,
	PREFIX_REP = 0xf3,
	PREFIX_FS = 0x64,
	PREFIX_OPERAND = 0x66,
	PREFIX_ADDRESS = 0x67,
	REX_W = 8,
	REX_X = 2,
	REX_B = 1,
};

static const char one_byte[] = "mmmmbz??mmmmbz??"
			       "mmmmbz??mmmmbz??"
			       "mmmmbz??mmmmbz??"
			       "mmmmbz??mmmmbz??"
			       "????????????????"
			       "................"
			       "???m????zZbM...."
			       "jjjjjjjjjjjjjjjj"
			       "MZ?Mmmmmmmmmmmmm"
			       "..........?....."
			       "oooo....bz......"
			       "bbbbbbbbvvvvvvvv"
			       "MMRr??MZe.Rr.b?r"
			       "mmmm???.mmmmmmmm"
			       "jjjjbbbbJJ?j...."
			       "????..gG......mm";

static const char two_byte[] = "mmmm?.....?.?m.?"
			       "mmmmmmmmmmmmmmmm"
			       "mmmm????mmmmmmmm"
			       "......?.????????"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm"
			       "MMMMmmm.mmmmmmmm"
			       "JJJJJJJJJJJJJJJJ"
			       "mmmmmmmmmmmmmmmm"
			       "...mMm??...mMmmm"
			       "mmmmmmmmmmMmmmmm"
			       "mmMmMMMm........"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm"
			       "mmmmmmmmmmmmmmmm";

/* reading - how far an instruction has been read, and what was met. */
struct reading {
	const unsigned char *at;
	unsigned rex;
	enum map map;
	unsigned opcode;
	unsigned prefix; /* the mandatory one: 0, 0x66, 0xf2, 0xf3 */
	bool narrow;     /* operands of 2 bytes: a z is one */
	bool short_address;
	bool is_vector;      /* VEX or EVEX */
	unsigned byte_scale; /* EVEX: what a displacement of 1 byte counts in */
	bool has_modrm;
	unsigned mod;
	unsigned reg;
};

static int64_t read_signed(struct reading *reading, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)*reading->at++ << (8 * i);
	if (bytes == 1)
		return (int8_t)value;
	return bytes == 4 ? (int32_t)value : (int64_t)value;
}

static void read_prefixes(struct reading *reading, struct insn *insn)
{
	for (;; reading->at++) {
		switch (*reading->at) {
		case PREFIX_LOCK:
			insn->locked = true;
			break;
		case PREFIX_REPNE:
		case PREFIX_REP:
			reading->prefix = *reading->at;
			break;
		case PREFIX_OPERAND:
			reading->narrow = true;
			break;
		case PREFIX_ADDRESS:
			reading->short_address = true;
			break;
		case PREFIX_FS:
			insn->is_thread_local = true;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x65:
			break;
		default:
			return;
		}
	}
}

/* vector_map - the low bits of a VEX or EVEX payload name the opcode's map. */
static enum map vector_map(unsigned bits)
{
	return bits == 2 ? MAP_0F38 : bits == 3 ? MAP_0F3A : MAP_0F;
}

/* vector_rex - bits X and B of a payload are stored inverted. */
static unsigned vector_rex(unsigned payload)
{
	return (~payload >> 5) & (REX_X | REX_B);
}

static void read_vector(struct reading *reading, unsigned escape)
{
	static const unsigned char prefixes[] = { 0, PREFIX_OPERAND, PREFIX_REP,
						  PREFIX_REPNE };
	unsigned pp = reading->at[0];

	reading->is_vector = true;
	reading->map = MAP_0F;
	if (escape == 0x62) {
		reading->map = vector_map(reading->at[0] & 7);
		reading->rex = vector_rex(reading->at[0]);
		pp = reading->at[1];
		/* True of moves of a whole vector, the only ones met here. */
		reading->byte_scale = 16U << ((reading->at[2] >> 5) & 3);
		reading->at += 3;
	} else if (escape == 0xc4) {
		reading->map = vector_map(reading->at[0] & 31);
		reading->rex = vector_rex(reading->at[0]);
		pp = reading->at[1];
		reading->at += 2;
	} else {
		reading->at += 1;
	}
	reading->prefix = prefixes[pp & 3];
	reading->opcode = *reading->at++;
}

static void read_opcode(struct reading *reading)
{
	unsigned byte = *reading->at++;

	if ((byte & 0xf0) == 0x40) {
		reading->rex = byte & 15;
		byte = *reading->at++;
	}
	if (byte == 0xc4 || byte == 0xc5 || byte == 0x62) {
		read_vector(reading, byte);
		return;
	}
	reading->opcode = byte;
	if (byte != 0x0f)
		return;
	reading->map = MAP_0F;
	reading->opcode = *reading->at++;
	if (reading->opcode == 0x38 || reading->opcode == 0x3a) {
		reading->map = reading->opcode == 0x38 ? MAP_0F38 : MAP_0F3A;
		reading->opcode = *reading->at++;
	}
}

static char letter(const struct reading *reading)
{
	switch (reading->map) {
	case MAP_ONE:
		return one_byte[reading->opcode];
	case MAP_0F:
		return two_byte[reading->opcode];
	case MAP_0F38:
		return 'm';
	case MAP_0F3A:
		return 'M';
	}
	return '?';
}

static int register_of(const struct reading *reading, unsigned bits,
		       unsigned rex_bit)
{
	return (int)(bits | ((reading->rex & rex_bit) != 0 ? 8U : 0U));
}

static void read_modrm(struct reading *reading, struct insn *insn)
{
	const unsigned modrm = *reading->at++;
	unsigned base = modrm & 7;

	reading->has_modrm = true;
	reading->mod = modrm >> 6;
	reading->reg = (modrm >> 3) & 7;
	if (reading->mod == 3)
		return;
	if (base == 5 && reading->mod == 0) {
		insn->is_relative = true;
		insn->displacement = read_signed(reading, 4);
		return;
	}
	if (base == 4) {
		const unsigned sib = *reading->at++;
		const int index = register_of(reading, (sib >> 3) & 7, REX_X);

		base = sib & 7;
		insn->scale = 1U << (sib >> 6);
		insn->index = index == 4 ? -1 : index;
	}
	if (base == 5 && reading->mod == 0) {
		insn->displacement = read_signed(reading, 4);
		return;
	}
	insn->base = register_of(reading, base, REX_B);
	if (reading->mod == 1)
		insn->displacement =
			read_signed(reading, 1) * reading->byte_scale;
	else if (reading->mod == 2)
		insn->displacement = read_signed(reading, 4);
}

/* read_rest - what the opcode's letter says; false: none is known. */
static bool read_rest(struct reading *reading, struct insn *insn)
{
	const char kind = letter(reading);
	const unsigned z = reading->narrow ? 2 : 4;
	const bool is_wide = (reading->rex & REX_W) != 0;

	switch (kind) {
	case 'm':
	case 'M':
	case 'Z':
	case 'g':
	case 'G':
		read_modrm(reading, insn);
		break;
	case 'o':
		insn->is_absolute = true;
		insn->displacement =
			read_signed(reading, reading->short_address ? 4 : 8);
		break;
	case '?':
		return false;
	default:
		break;
	}
	if (kind == 'b' || kind == 'M' || kind == 'j' ||
	    (kind == 'g' && reading->reg < 2))
		reading->at += 1;
	else if (kind == 'z' || kind == 'Z' ||
		 (kind == 'G' && reading->reg < 2))
		reading->at += z;
	else if (kind == 'v')
		reading->at += is_wide ? 8 : z;
	else if (kind == 'J')
		reading->at += 4;
	else if (kind == 'R')
		reading->at += 2;
	else if (kind == 'e')
		reading->at += 3;
	insn->branches =
		kind == 'j' || kind == 'J' || kind == 'r' || kind == 'R';
	return true;
}

/* writes_one - whether an instruction of one byte with a memory operand does.
 */
static bool writes_one(unsigned opcode, unsigned reg)
{
	if (opcode < 0x38)
		return (opcode & 7) < 2; /* add, or, adc, sbb, and, sub, xor */
	switch (opcode) {
	case 0x80:
	case 0x81:
	case 0x83:
		return reg != 7; /* cmp */
	case 0x86:
	case 0x87:
	case 0x88:
	case 0x89:
	case 0x8c:
	case 0x8f:
	case 0xc0:
	case 0xc1:
	case 0xc6:
	case 0xc7:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return true;
	case 0xd9:
	case 0xdb:
	case 0xdd:
	case 0xdf:
		return reg != 0; /* x87: more stores than loads */
	case 0xf6:
	case 0xf7:
		return reg == 2 || reg == 3; /* not, neg */
	case 0xfe:
	case 0xff:
		return reg < 2; /* inc, dec */
	default:
		return false;
	}
}

static bool writes_0f(unsigned opcode, unsigned reg, unsigned prefix)
{
	if ((opcode & 0xf0) == 0x90)
		return true; /* setcc, kmov */
	switch (opcode) {
	case 0x11:
	case 0x13:
	case 0x17:
	case 0x29:
	case 0x2b:
	case 0x7f:
	case 0xa4:
	case 0xa5:
	case 0xab:
	case 0xac:
	case 0xad:
	case 0xb0:
	case 0xb1:
	case 0xb3:
	case 0xbb:
	case 0xc0:
	case 0xc1:
	case 0xc3:
	case 0xd6:
	case 0xe7:
		return true;
	case 0x7e:
		return prefix != PREFIX_REP; /* movq loads */
	case 0xae:
		return reg == 0 || reg == 3 || reg == 4 || reg == 6;
	case 0xba:
		return reg > 4; /* bt alone does not */
	case 0xc7:
		return reg == 1 || reg == 3 || reg == 4 || reg == 5;
	default:
		return false;
	}
}

static bool writes_operand(const struct reading *reading)
{
	switch (reading->map) {
	case MAP_ONE:
		return writes_one(reading->opcode, reading->reg);
	case MAP_0F:
		return writes_0f(reading->opcode, reading->reg,
				 reading->prefix);
	case MAP_0F38:
		/* movbe; vmaskmov, vpmaskmov */
		return reading->opcode == 0xf1 || reading->opcode == 0x2e ||
		       reading->opcode == 0x2f || reading->opcode == 0x8e;
	case MAP_0F3A:
		/* pextr, extractps; vextract */
		return (reading->opcode & 0xfc) == 0x14 ||
		       reading->opcode == 0x19 || reading->opcode == 0x39 ||
		       reading->opcode == 0x1b || reading->opcode == 0x3b;
	}
	return false;
}

/* kind_find - what else there is to say once all has been read. */
static void kind_find(const struct reading *reading, struct insn *insn)
{
	const bool has_memory = reading->has_modrm && reading->mod != 3;
	const unsigned opcode = reading->opcode;

	if (reading->map == MAP_0F && opcode == 0x05 && !reading->is_vector)
		insn->syscall = true;
	if (has_memory)
		insn->writes = writes_operand(reading);
	if (reading->map != MAP_ONE)
		return;
	if (has_memory && (opcode == 0x86 || opcode == 0x87))
		insn->locked = true;
	if (opcode == 0xff && reading->reg >= 2 && reading->reg <= 5)
		insn->branches = true;
	if (opcode == 0xa2 || opcode == 0xa3)
		insn->writes = true;

	const bool is_string = (opcode & 0xfc) == 0xa4 || /* movs, cmps */
			       (opcode >= 0xaa && opcode <= 0xaf);

	insn->repeats = is_string && reading->prefix != 0;
	insn->is_string = opcode == 0xa4 || opcode == 0xa5 || opcode == 0xaa ||
			  opcode == 0xab;
	insn->writes |= insn->is_string;
}

struct insn insn_decode(const unsigned char *code)
{
	struct insn insn = { .base = -1, .index = -1 };
	struct reading reading = { .at = code, .byte_scale = 1 };

	read_prefixes(&reading, &insn);
	if (reading.narrow && reading.prefix == 0)
		reading.prefix = PREFIX_OPERAND;
	read_opcode(&reading);
	if (!read_rest(&reading, &insn))
		return (struct insn){ .base = -1, .index = -1 };
	kind_find(&reading, &insn);
	insn.length = (unsigned)(reading.at - code);
	return insn;
}

static uintptr_t register_value(const greg_t *registers, int number)
{
	static const unsigned char slots[] = {
		REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
		REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
		REG_R12, REG_R13, REG_R14, REG_R15,
	};

	return (uintptr_t)registers[slots[number]];
}

uintptr_t insn_target(const struct insn *insn, const unsigned char *code,
		      const greg_t *registers)
{
	uintptr_t address = (uintptr_t)insn->displacement;

	if (insn->is_string)
		return (uintptr_t)registers[REG_RDI];
	if (insn->is_relative)
		return address + (uintptr_t)code + insn->length;
	if (insn->base >= 0)
		address += register_value(registers, insn->base);
	if (insn->index >= 0)
		address += register_value(registers, insn->index) * insn->scale;
	return address;
}
