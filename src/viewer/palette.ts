/** How an element is drawn. */
export interface Look {
  symbol: string;
  /** #rrggbb, after the convention of ball-and-stick models: oxygen red, nitrogen blue, sulfur yellow. */
  color: string;
  /** Covalent radius, Å (Cordero et al. 2008; 1.5 where there is none). */
  radius: number;
}

/** By atomic number: symbol, colour with four bits a channel, covalent radius in pm. A table of its own keeps the viewer small. */
const TABLE = `
H eee 31 He cff 28 Li a6e 128 Be bd3 96 B fb9 84 C 555 76 N 35e 71 O e22 66 F 7d5 57 Ne add 58
Na 95d 166 Mg 7c2 141 Al b9a 121 Si dba 111 P f81 107 S ed3 105 Cl 2c3 102 Ar 7cd 106
K 74c 203 Ca 4b4 176 Sc dde 170 Ti aab 160 V 99b 153 Cr 79c 139 Mn 96c 139 Fe d63 132 Co d79 126 Ni 4c5 124 Cu c73 132 Zn 77a 122
Ga b88 122 Ge 588 120 As b7d 119 Se e90 120 Br a32 120 Kr 5bc 116
Rb 62a 220 Sr 2d2 195 Y 8ee 190 Zr 8dd 175 Nb 6bc 164 Mo 4aa 154 Tc 399 147 Ru 288 146 Rh 178 142 Pd 168 139 Ag bbc 145 Cd ec8 144
In a67 142 Sn 678 139 Sb 95b 139 Te c70 138 I 818 139 Xe 49a 140
Cs 519 244 Ba 2b1 215 La 6cf 207 Ce eeb 204 Pr ceb 203 Nd beb 201 Pm aeb 199 Sm 9eb 198 Eu 6eb 198 Gd 4eb 196 Tb 3eb 194 Dy 2eb 192
Ho 1e9 192 Er 1d7 189 Tm 1c5 190 Yb 1b4 187 Lu 1a3 187 Hf 5be 175 Ta 5ae 170 W 29c 162 Re 27a 151 Os 269 144 Ir 158 141 Pt ccd 136
Au fc3 136 Hg abc 132 Tl a54 145 Pb 567 146 Bi 94a 148 Po a50 140 At 754 150 Rn 488 150
Fr 406 260 Ra 170 221 Ac 7ae 215 Th 1af 206 Pa 19e 200 U 18e 196 Np 17e 190 Pu 16e 187 Am 55e 180 Cm 75d 169
Bk 84d 150 Cf 93d 150 Es a2c 150 Fm a2b 150 Md b1a 150 No b19 150 Lr c16 150 Rf c15 150 Db d14 150 Sg d14 150 Bh d03 150 Hs e03 150
Mt e02 150 Ds e02 150 Rg e02 150 Cn e02 150 Nh e02 150 Fl e02 150 Mc e02 150 Lv e02 150 Ts e02 150 Og e02 150`;

/** By atomic number; 0: nobody knows. */
export const LOOKS: readonly Look[] = [
  { symbol: "?", color: "#9999aa", radius: 1.5 },
  ...Array.from(TABLE.matchAll(/(\w+) (\w)(\w)(\w) (\d+)/g), ([, symbol, r, g, b, radius]) => ({
    symbol,
    color: `#${r}${r}${g}${g}${b}${b}`,
    radius: Number(radius) / 100,
  })),
];

const NONMETALS = "H He B C N O F Ne Si P S Cl Ar As Se Br Kr Te I Xe At Rn".split(" ");

/** By atomic number. */
export const IS_METAL: readonly boolean[] = LOOKS.map(({ symbol }) => !NONMETALS.includes(symbol));
