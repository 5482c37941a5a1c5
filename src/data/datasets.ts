/**
 * Public data sets: where they are, what they hold, and the checksum that tells that they arrived as published.
 *
 * Addresses and checksums of Matbench and matminer are those of matminer's dataset_metadata.json; the CrabNet benchmark's are of
 * its repository at a fixed commit. A data set without a known checksum is not listed.
 */

export interface DatasetEntry {
  name: string;
  title: string;
  rows: number;
  task: "regression" | "classification";
  /** The column to predict. */
  target: string;
  /** Of the target; empty where it has none. */
  unit: string;
  /** What a row describes: compositions alone, or crystal structures, of which composition models use the composition. */
  input: "composition" | "structure";
  url: string;
  /** SHA-256 of the file. */
  sha256: string;
  bytes?: number;
  /** Of the data, as far as the source states it. */
  licence: string;
  citation: string;
  /** Its name in the data folder. */
  file: string;
}

const UNSTATED = "not stated by the distributor";
const MP = "CC BY 4.0 (Materials Project)";
const DUNN = "Dunn et al., npj Comput. Mater. 6, 138 (2020)";
const JAIN = "Jain et al., APL Mater. 1, 011002 (2013)";
const DE_JONG = "de Jong et al., Sci. Data 2, 150009 (2015)";
const ZHUO = "Zhuo et al., J. Phys. Chem. Lett. 9, 1668 (2018)";

type Task = Omit<DatasetEntry, "name" | "url" | "file" | "task"> & { task?: "classification" };

/** A task of Matbench v0.1; `source` is the paper of the data themselves. */
function matbench(name: string, { citation: source, ...task }: Task): DatasetEntry {
  const file = `matbench_${name}.json.gz`;
  const url = `https://ml.materialsproject.org/projects/${file}`;
  return { name: `matbench_${name}`, task: "regression", ...task, citation: `${DUNN}; ${source}`, url, file };
}

/** A file that matminer distributes on figshare. */
function matminer(name: string, id: number, task: Task): DatasetEntry {
  const url = `https://ndownloader.figshare.com/files/${id}`;
  return { name, task: "regression", ...task, url, file: `${name}.json.gz` };
}

/** One part of a data set of the CrabNet benchmark, with columns formula and target. */
function crabnet(
  set: string,
  part: "train" | "val",
  task: Pick<DatasetEntry, "title" | "rows" | "bytes" | "sha256">,
): DatasetEntry {
  const root = "https://raw.githubusercontent.com/anthony-wang/CrabNet/457b4d4835737ecbe4dd33e53174bd818bd82143";
  const name = `${set.replace("__", "_").toLowerCase()}_${part}`;
  return {
    name,
    ...task,
    task: "regression",
    target: "target",
    unit: "eV/atom",
    input: "composition",
    url: `${root}/data/benchmark_data/${set}/${part}.csv`,
    licence: MP,
    citation: "Bartel et al., npj Comput. Mater. 6, 97 (2020); Wang et al., npj Comput. Mater. 7, 77 (2021)",
    file: `${name}.csv`,
  };
}

export const datasets: readonly DatasetEntry[] = [
  matbench("dielectric", {
    title: "Refractive index of crystals",
    rows: 4764,
    target: "n",
    unit: "",
    input: "structure",
    sha256: "83befa09bc2ec2f4b6143afc413157827a90e5e2e42c1eb507ccfa01bf26a1d6",
    licence: MP,
    citation: "Petousis et al., Sci. Data 4, 160134 (2017)",
  }),
  matbench("expt_gap", {
    title: "Measured band gap",
    rows: 4604,
    target: "gap expt",
    unit: "eV",
    input: "composition",
    sha256: "783e7d1461eb83b00b2f2942da4b95fda5e58a0d1ae26b581c24cf8a82ca75b2",
    licence: UNSTATED,
    citation: ZHUO,
  }),
  matbench("expt_is_metal", {
    title: "Metal or not, measured",
    rows: 4921,
    task: "classification",
    target: "is_metal",
    unit: "",
    input: "composition",
    sha256: "8f2a4f9bacdcbc5c2c73615629ee7986f09d39bed40ba7db52b61b2889730887",
    licence: UNSTATED,
    citation: ZHUO,
  }),
  matbench("glass", {
    title: "Alloys that form a metallic glass",
    rows: 5680,
    task: "classification",
    target: "gfa",
    unit: "",
    input: "composition",
    sha256: "36beb654e2a463ee2a6572105bea0ca2961eee7c7b26a25377bff2c3b338e53a",
    licence: UNSTATED,
    citation: "Kawazoe et al., Landolt-Börnstein III/37A (1997)",
  }),
  matbench("jdft2d", {
    title: "Exfoliation energy of layered crystals, DFT",
    rows: 636,
    target: "exfoliation_en",
    unit: "meV/atom",
    input: "structure",
    sha256: "26057dc4524e193e32abffb296ce819b58b6e11d1278cae329a2f97817a4eddf",
    licence: UNSTATED,
    citation: "Choudhary et al., Sci. Rep. 7, 5179 (2017)",
  }),
  matbench("log_gvrh", {
    title: "Shear modulus, DFT",
    rows: 10987,
    target: "log10(G_VRH)",
    unit: "log10(GPa)",
    input: "structure",
    sha256: "098af941f4c663270f1fe21abf20ffad6fb85ecbfcba5786ceac03983ac29da7",
    licence: MP,
    citation: DE_JONG,
  }),
  matbench("log_kvrh", {
    title: "Bulk modulus, DFT",
    rows: 10987,
    target: "log10(K_VRH)",
    unit: "log10(GPa)",
    input: "structure",
    sha256: "44b113ddb7e23aa18731a62c74afa7e5aa654199e0db5f951c8248a00955c9cd",
    licence: MP,
    citation: DE_JONG,
  }),
  matbench("mp_e_form", {
    title: "Formation energy, DFT",
    rows: 132752,
    target: "e_form",
    unit: "eV/atom",
    input: "structure",
    sha256: "dedcb1d4ba2e3e50dbdd45ba5bc647a00e9c2bcf8f8bf556dc8e92caa39eb21f",
    licence: MP,
    citation: JAIN,
  }),
  matbench("mp_gap", {
    title: "Band gap, DFT (PBE)",
    rows: 106113,
    target: "gap pbe",
    unit: "eV",
    input: "structure",
    sha256: "58b65746bd88329986ed66031a2ac1369c7c522f7bc9f9081528e07097c2c057",
    licence: MP,
    citation: JAIN,
  }),
  matbench("mp_is_metal", {
    title: "Metal or not, DFT (PBE)",
    rows: 106113,
    task: "classification",
    target: "is_metal",
    unit: "",
    input: "structure",
    sha256: "9a028ed5750a4c76ca36e9f3c8d48fe0bf3fb21b76ec2289e58ae7048d527919",
    licence: MP,
    citation: JAIN,
  }),
  matbench("perovskites", {
    title: "Heat of formation of ABX3 perovskites, DFT",
    rows: 18928,
    target: "e_form",
    unit: "eV/unit cell",
    input: "structure",
    sha256: "4641e2417f8ec8b50096d2230864468dfa08278dc9d257c327f65d0305278483",
    licence: UNSTATED,
    citation: "Castelli et al., Energy Environ. Sci. 5, 9034 (2012)",
  }),
  matbench("phonons", {
    title: "Highest peak of the phonon density of states, DFPT",
    rows: 1265,
    target: "last phdos peak",
    unit: "cm^-1",
    input: "structure",
    sha256: "4db551f21ec5f577e6202725f10e34dfc509aa7df3a6bdaac497da7f6dbbb9b3",
    licence: "CC BY 4.0",
    citation: "Petretto et al., Sci. Data 5, 180065 (2018)",
  }),
  matbench("steels", {
    title: "Measured yield strength of steels",
    rows: 312,
    target: "yield strength",
    unit: "MPa",
    input: "composition",
    sha256: "473bc4957b2ea5e6465aef84bc29bb48ac34db27d69ea4ec5f508745c6fae252",
    licence: UNSTATED,
    citation: "Citrine Informatics, data set 153092",
  }),
  matminer("double_perovskites_gap", 13309157, {
    title: "Band gap of double perovskites, DFT (GLLB-SC)",
    rows: 1306,
    target: "gap gllbsc",
    unit: "eV",
    input: "composition",
    sha256: "746072db995ec46f44b67c3f55fccdc24a7ec6233be1b96cc52dab8db4bf0ba4",
    licence: UNSTATED,
    citation: "Pilania et al., Sci. Rep. 6, 19375 (2016)",
  }),
  matminer("expt_formation_enthalpy_kingsbury", 28232538, {
    title: "Measured formation enthalpy at 298 K",
    rows: 2135,
    target: "expt_form_e",
    unit: "eV/atom",
    input: "composition",
    sha256: "a2d2ced98d40349abd2041f169d9ed9c7f49453e86a77f82cab8c61c70dcb7ca",
    licence: UNSTATED,
    citation: "Wang et al., ChemRxiv 14593476 (2021); Kim et al., Sci. Data 4, 170162 (2017)",
  }),
  matminer("glass_ternary_hipt", 13298018, {
    title: "Ternary alloys that sputter to a metallic glass",
    rows: 5170,
    task: "classification",
    target: "gfa",
    unit: "",
    input: "composition",
    sha256: "4a4c60ef227891203570dbc3decb606649b877f6b75289afd4e78fe8e8095e63",
    licence: UNSTATED,
    citation: "Ren et al., Sci. Adv. 4, eaaq1566 (2018)",
  }),
  matminer("mp_nostruct_20181018", 13309253, {
    title: "The Materials Project of October 2018 without structures: energies, gaps, moduli",
    rows: 83989,
    target: "e_form",
    unit: "eV/atom",
    input: "composition",
    sha256: "48481abc390e0772defbbfa68d7db3b9bdef2519d407b82a581f2298f7df080f",
    licence: MP,
    citation: JAIN,
  }),
  matminer("superconductivity2018", 31614956, {
    title: "Measured critical temperature of superconductors",
    rows: 16414,
    target: "Tc",
    unit: "K",
    input: "composition",
    sha256: "03976fc80f39b3d9c7bf2c12f4d045513cdad17a3a2e559f6290fc7245154418",
    licence: "CC BY 4.0",
    citation: "Stanev et al., npj Comput. Mater. 4, 29 (2018)",
  }),
  crabnet("CritExam__Ef", "train", {
    title: "Formation energy, DFT: the training part of ElemNet's and CrabNet's comparison",
    rows: 59509,
    bytes: 1747034,
    sha256: "717892455f5474fb98d952b2824b09e2abae21d4893eebc5f0e16b5042a9f168",
  }),
  crabnet("CritExam__Ef", "val", {
    title: "Formation energy, DFT: the validation part",
    rows: 12752,
    bytes: 374526,
    sha256: "f641c56947685fad49aaf13c31b098593a708d8aff19cf271b2239251d9d6a3a",
  }),
  crabnet("CritExam__Ed", "train", {
    title: "Decomposition energy, DFT: the training part",
    rows: 59509,
    bytes: 1786856,
    sha256: "b8de276563588969f9b8a9f7fb59059e2b445da22f4bc84beed5d4b8d3b16934",
  }),
  crabnet("CritExam__Ed", "val", {
    title: "Decomposition energy, DFT: the validation part",
    rows: 12752,
    bytes: 382486,
    sha256: "be508d700c294fffa382887f37dbc1aded4ad2a5f5ab526bad60d987f5a6d7f0",
  }),
];
