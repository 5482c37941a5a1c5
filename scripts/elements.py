#!/usr/bin/env python3
"""
Writes src/data/elementTable.ts, the facts about the 118 elements. Run by hand, with Debian's python3-pymatgen and
python3-periodictable, when a fact changes:  python3 scripts/elements.py > src/data/elementTable.ts

pymatgen (MIT) and periodictable (public domain) carry most facts with their sources; what they lack, or where they are
known to be wrong, is tabulated here with its source. src/data/elements.ts explains every column.
"""

import json
import os
import re

import periodictable.covalent_radius as radii
from pymatgen.core import periodic_table

HEADER = """// Written by scripts/elements.py: change it there. elements.ts explains the columns and their sources; "-" is unknown.
"""

SYMBOLS = """H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr
Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl
Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og""".split()

# Standard atomic weights, IUPAC 2021 (abridged values); for elements without one, the mass number of the longest-lived isotope.
WEIGHTS = """1.008 4.0026 6.94 9.0122 10.81 12.011 14.007 15.999 18.998 20.180 22.990 24.305 26.982 28.085 30.974 32.06
35.45 39.95 39.098 40.078 44.956 47.867 50.942 51.996 54.938 55.845 58.933 58.693 63.546 65.38 69.723 72.630 74.922 78.971
79.904 83.798 85.468 87.62 88.906 91.224 92.906 95.95 97 101.07 102.91 106.42 107.87 112.41 114.82 118.71 121.76 127.60
126.90 131.29 132.91 137.33 138.91 140.12 140.91 144.24 145 150.36 151.96 157.25 158.93 162.50 164.93 167.26 168.93 173.05
174.97 178.49 180.95 183.84 186.21 190.23 192.22 195.08 196.97 200.59 204.38 207.2 208.98 209 210 222 223 226 227 232.04
231.04 238.03 237 244 243 247 247 251 252 257 258 259 262 267 268 269 270 269 278 281 282 285 286 289 290 293 294 294"""

# Static dipole polarizabilities of the neutral atoms, atomic units: Schwerdtfeger & Nagle, Mol. Phys. 117, 1200 (2019).
POLARIZABILITIES = """4.50711 1.38375 164.1125 37.74 20.5 11.3 7.4 5.3 3.74 2.6611 162.7 71.2 57.8 37.3 25 19.4 14.6 11.083
289.7 160.8 97 100 87 83 68 62 55 49 46.5 38.67 50 40 30 28.9 21 16.78 319.8 197.2 162 112 98 87 79 72 66 26.14 55 46 65 53
43 38 32.9 27.32 400.9 272 215 205 216 208 200 192 184 158 170 163 156 150 144 139 137 103 74 68 62 57 54 48 36 33.91 50 47
48 44 42 35 317.8 246 203 217 154 129 151 132 131 144 125 122 118 113 109 110 320 112 42 40 38 36 34 32 32 28 29 31 71 - 76
58"""

# Enthalpy of formation of the gaseous atom at 298 K, kJ/mol: CODATA key values and the CRC Handbook; noble gases are atoms
# already; Po from Kittel's cohesive energies. Unknown: Pm, At and everything beyond Cf.
ATOMISATION = """218.0 0 159.3 324 565 716.7 472.7 249.2 79.4 0 107.5 147.1 330.9 450 316.5 277.2 121.3 0 89.0 177.8 377.8
473 514.2 396.6 280.7 416.3 424.7 429.7 337.4 130.4 272 372 302.5 227.2 111.9 0 80.9 164.4 421.3 608.8 725.9 658.1 678 642.7
556.9 378.2 284.9 111.8 243.3 301.2 262.3 196.7 106.8 0 76.5 180 431 423 355.6 327.6 - 206.7 175.3 397.5 388.7 290.4 300.8
317.1 232.2 152.3 427.6 619.2 782 849.4 769.9 791 665.3 565.3 366.1 61.4 182.2 195.2 207.1 144 - 0 73 159 406 602 563 533
465 345 284 386 310 196"""

# Where pymatgen has no value or a wrong one. Densities of gases at 273 K and 1 atm, of bromine and mercury at 293 K (CRC
# Handbook). Tm: 168.93 g/mol / 9.321 g/cm³. Gaps of melting and boiling points and volumes: estimates of the CRC Handbook.
DENSITIES = {"H": 0.0899, "He": 0.1785, "N": 1.2506, "O": 1.429, "F": 1.696, "Ne": 0.9, "Cl": 3.214, "Ar": 1.784,
             "Br": 3103, "Kr": 3.749, "Xe": 5.894, "Hg": 13534, "Rn": 9.73, "Am": 13670}
VOLUMES = {"Tm": 18.12}
BOILING = {"At": 610, "Fr": 950, "Pa": 4300}
MELTING = {"Fr": 300}

# Electron affinities measured since pymatgen's table (Th: Tang et al. 2019; U: Ciborowski et al. 2021), eV.
AFFINITIES = {"Th": 0.60769, "U": 0.31497}

# Oxidation states that are common and not in pymatgen's list.
OXIDATION = {"Cu": [1, 2], "Au": [1, 3]}

# Ionic radii that Shannon does not have, pm: Pauling's crystal radii.
PAULING_RADII = {"P": {-3: 212}, "As": {-3: 222}}

# Valence shells beyond pymatgen's table (ground states as predicted, CRC Handbook).
SUPERHEAVY = "d2 d3 d4 d5 d6 d7 d8 d9 d10 p1 p2 p3 p4 p5 p6".split()

DATA = json.load(open(os.path.join(os.path.dirname(periodic_table.__file__), "periodic_table.json")))
COVALENT = {}
for line in radii.CorderoPyykko.split("\n"):
    if not line.startswith("#"):
        number, _, cordero, single = line.split()[:4]
        COVALENT[int(number)] = (cordero.split("(")[0], single)


def text(value, scale=1, digits=6):
    """The shortest decimal of a number, or of the number that a text with units begins with; "-" where there is none."""
    found = re.search(r"\d+(\.\d+)?", re.sub(r"<sup>.*</sup>", "", str(value)))
    return "-" if found is None else f"{float(found[0]) * scale:.{digits}g}"


def valence(symbol, number):
    """Electrons outside the noble-gas core (noble gases: outside the one before), as s2p4d10f14."""
    if number > 103:
        shell = SUPERHEAVY[number - 104]
        counts = {"s": 2, "p": 0, "d": 10, "f": 14} | {shell[0]: int(shell[1:])}
    else:
        counts = {"s": 0, "p": 0, "d": 0, "f": 0}
        for orbital, count in re.findall(r"\d([spdf])<sup>(\d+)</sup>", DATA[symbol]["Electronic structure"]):
            counts[orbital] += int(count)
    return "".join(f"{orbital}{counts[orbital]}" for orbital in "spdf" if counts[orbital])


def affinity(symbol):
    """A negative value would be an estimate for an anion that does not exist; beyond Cm there are only calculations."""
    value = AFFINITIES.get(symbol) or DATA[symbol]["Electron affinity"]
    return text(value) if value and value > 0 and DATA[symbol]["Atomic no"] <= 96 else "-"


def ionic_radii(symbol):
    """charge:radius in pm, six-coordinate (else the coordination nearest to six), high spin where both are tabulated."""
    found = dict(PAULING_RADII.get(symbol, {}))
    roman = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10, "XII": 12}
    for charge, sites in DATA[symbol].get("Shannon radii", {}).items():
        plain = {roman[name]: spins for name, spins in sites.items() if name in roman}
        if plain:
            spins = plain[min(plain, key=lambda count: (abs(count - 6), count))]
            found[int(charge)] = (spins.get("High Spin") or spins.get("") or spins["Low Spin"])["ionic_radius"] * 100
    return ",".join(f"{charge}:{radius:.4g}" for charge, radius in sorted(found.items()) if radius > 0) or "-"


def row_of_atom(number):
    symbol = SYMBOLS[number - 1]
    facts = DATA[symbol]
    cordero, single = COVALENT[number]
    return [
        symbol,
        WEIGHTS.split()[number - 1],
        valence(symbol, number),
        text(facts.get("X")) if number not in (2, 10, 18) else "-",
        text(cordero, 100),
        text(single, 100),
        text(facts.get("Atomic radius"), 100),
        text(facts.get("Van der waals radius"), 100),
        text(facts["Ionization energies"][0]) if number <= 103 else "-",
        affinity(symbol),
        POLARIZABILITIES.split()[number - 1],
        text(facts.get("Mendeleev no")),
        ",".join(map(str, OXIDATION.get(symbol) or facts.get("Common oxidation states") or [])) or "-",
    ]


def row_of_substance(number):
    symbol = SYMBOLS[number - 1]
    facts = DATA[symbol]
    return [
        symbol,
        facts["Name"],
        str(MELTING.get(symbol) or text(facts.get("Melting point"))),
        str(BOILING.get(symbol) or text(facts.get("Boiling point"))),
        str(DENSITIES.get(symbol) or text(facts.get("Density of solid"))),
        str(VOLUMES.get(symbol) or text(facts.get("Molar volume"))),
        (ATOMISATION.split() + ["-"] * 118)[number - 1],
        ionic_radii(symbol),
    ]


def table(name, comment, head, row):
    rows = [head.split()] + [row(number) for number in range(1, 119)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() for cells in rows]
    return f"\n/** {comment} */\nexport const {name} = `\n" + "\n".join(lines) + "\n`;\n"


atoms = "symbol weight valence χ cov1 cov2 atom vdw ionisation affinity polar mendeleev oxidation"
substances = "symbol name melting boiling density volume atomisation radii"
print(HEADER + table("ATOMS", "Facts about the free or bonded atom.", atoms, row_of_atom)
      + table("SUBSTANCES", "Facts about the elemental substance, and the radii of the ions.", substances, row_of_substance),
      end="")
