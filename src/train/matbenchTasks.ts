import { UserError } from "../core/errors.ts";
import { unknownName } from "../data/open.ts";

/** A task of Matbench v0.1. */
export interface MatbenchTask {
  /** "matbench_phonons". */
  readonly name: string;
  /** Structures or compositions, in the official order. */
  readonly rows: number;
  readonly inputs: "structure" | "composition";
  /** The column to predict. */
  readonly target: string;
  readonly kind: "regression" | "classification";
  readonly unit?: string;
  /** Mean test figures over the five folds and their standard deviation, best first: MAE, of classifications the area under the ROC curve. */
  readonly published: readonly { readonly algorithm: string; readonly value: number; readonly std: number }[];
}

/**
 * @see Dunn, Wang, Ganose, Dopp & Jain, npj Comput. Mater. 6, 138 (2020); figures: Matbench's leaderboards. Where an algorithm gave
 * classes and no probabilities, the area under its curve is its balanced accuracy.
 */
const TASKS = {
  dielectric: {
    rows: 4764,
    inputs: "structure",
    target: "n",
    kind: "regression",
    published: `
      MODNet (v0.1.12): 0.2711 ± 0.0714; MODNet (v0.1.10): 0.297 ± 0.072; coGN: 0.3088 ± 0.0859;
      coNGN: 0.3142 ± 0.074; AMMExpress v2020: 0.315 ± 0.0672; Finder_v1.2 structure-based version: 0.3197 ± 0.0717;
      Finder_v1.2 composition-only version: 0.3204 ± 0.0811; CrabNet: 0.3234 ± 0.0714;
      SchNet (kgcnn v2.1.0): 0.3277 ± 0.0829; DeeperGATGNN: 0.3355 ± 0.0839; MegNet (kgcnn v2.1.0): 0.3391 ± 0.0745;
      DimeNet++ (kgcnn v2.1.0): 0.34 ± 0.057; ALIGNN: 0.3449 ± 0.0871; RF-SCM/Magpie: 0.4196 ± 0.075;
      CGCNN v2019: 0.5988 ± 0.0833; Dummy: 0.8088 ± 0.0718`,
  },
  expt_gap: {
    rows: 4604,
    inputs: "composition",
    target: "gap expt",
    kind: "regression",
    unit: "eV",
    published: `
      Darwin: 0.2865 ± 0.0083; Ax/SAASBO CrabNet v1.2.7: 0.331 ± 0.0071; MODNet (v0.1.12): 0.3327 ± 0.0239;
      CrabNet: 0.3463 ± 0.0088; MODNet (v0.1.10): 0.347 ± 0.0222; Ax+CrabNet v1.2.1: 0.3566 ± 0.0248;
      Ax(10/90)+CrabNet v1.2.7: 0.3632 ± 0.0196; CrabNet v1.2.1: 0.3757 ± 0.0207; AMMExpress v2020: 0.4161 ± 0.0194;
      RF-SCM/Magpie: 0.4461 ± 0.0177; gptchem: 0.4544 ± 0.0123; Dummy: 1.1435 ± 0.031`,
  },
  expt_is_metal: {
    rows: 4921,
    inputs: "composition",
    target: "is_metal",
    kind: "classification",
    published: `
      Darwin: 0.9598 ± 0.0041; AMMExpress v2020: 0.9209 ± 0.0028; RF-SCM/Magpie: 0.9167 ± 0.0064;
      MODNet (v0.1.12): 0.9161 ± 0.0072; MODNet (v0.1.10): 0.9161 ± 0.0072; gptchem: 0.8965 ± 0.006;
      Dummy: 0.4924 ± 0.0128`,
  },
  glass: {
    rows: 5680,
    inputs: "composition",
    target: "gfa",
    kind: "classification",
    published: `
      MODNet (v0.1.12): 0.9603 ± 0.0075; AMMExpress v2020: 0.8607 ± 0.0199; RF-SCM/Magpie: 0.8587 ± 0.0158;
      MODNet (v0.1.10): 0.8107 ± 0.0212; gptchem: 0.7762 ± 0.0122; Darwin: 0.7668 ± 0.0133; Dummy: 0.5005 ± 0.0178`,
  },
  jdft2d: {
    rows: 636,
    inputs: "structure",
    target: "exfoliation_en",
    kind: "regression",
    unit: "meV/atom",
    published: `
      MODNet (v0.1.12): 33.1918 ± 7.3428; MODNet (v0.1.10): 34.5368 ± 9.4959; coNGN: 36.1698 ± 11.5972;
      coGN: 37.1652 ± 13.6825; AMMExpress v2020: 39.8497 ± 9.8835; SchNet (kgcnn v2.1.0): 42.6637 ± 13.7201;
      ALIGNN: 43.4244 ± 8.9491; DeeperGATGNN: 45.4611 ± 11.6819; CrabNet: 45.6104 ± 12.2491;
      Finder_v1.2 structure-based version: 46.1339 ± 11.4644;
      Finder_v1.2 composition-only version: 47.9614 ± 11.668; DimeNet++ (kgcnn v2.1.0): 49.0243 ± 11.9027;
      CGCNN v2019: 49.244 ± 11.5865; RF-SCM/Magpie: 50.044 ± 8.6271; MegNet (kgcnn v2.1.0): 54.1719 ± 11.4299;
      Dummy: 67.2851 ± 10.1832`,
  },
  log_gvrh: {
    rows: 10987,
    inputs: "structure",
    target: "log10(G_VRH)",
    kind: "regression",
    unit: "log₁₀(GPa)",
    published: `
      coNGN: 0.067 ± 0.0006; coGN: 0.0689 ± 0.0009; ALIGNN: 0.0715 ± 0.0006; MODNet (v0.1.12): 0.0731 ± 0.0007;
      MODNet (v0.1.10): 0.0731 ± 0.0007; DimeNet++ (kgcnn v2.1.0): 0.0792 ± 0.0011;
      SchNet (kgcnn v2.1.0): 0.0796 ± 0.0022; MegNet (kgcnn v2.1.0): 0.0871 ± 0.0013;
      AMMExpress v2020: 0.0874 ± 0.002; CGCNN v2019: 0.0895 ± 0.0016; DeeperGATGNN: 0.0903 ± 0.0025;
      Finder_v1.2 structure-based version: 0.091 ± 0.0018; Finder_v1.2 composition-only version: 0.0996 ± 0.0018;
      CrabNet: 0.1014 ± 0.0017; RF-SCM/Magpie: 0.104 ± 0.0016; Dummy: 0.2931 ± 0.0031`,
  },
  log_kvrh: {
    rows: 10987,
    inputs: "structure",
    target: "log10(K_VRH)",
    kind: "regression",
    unit: "log₁₀(GPa)",
    published: `
      coNGN: 0.0491 ± 0.0026; coGN: 0.0535 ± 0.0028; MODNet (v0.1.12): 0.0548 ± 0.0025;
      MODNet (v0.1.10): 0.0548 ± 0.0025; ALIGNN: 0.0568 ± 0.0028; DimeNet++ (kgcnn v2.1.0): 0.0572 ± 0.0032;
      SchNet (kgcnn v2.1.0): 0.059 ± 0.0022; AMMExpress v2020: 0.0647 ± 0.0015;
      MegNet (kgcnn v2.1.0): 0.0668 ± 0.0034; Finder_v1.2 structure-based version: 0.0693 ± 0.0035;
      DeeperGATGNN: 0.0698 ± 0.003; CGCNN v2019: 0.0712 ± 0.0028; CrabNet: 0.0758 ± 0.0034;
      Finder_v1.2 composition-only version: 0.0764 ± 0.0025; RF-SCM/Magpie: 0.082 ± 0.0027; Dummy: 0.2897 ± 0.0043`,
  },
  mp_e_form: {
    rows: 132752,
    inputs: "structure",
    target: "e_form",
    kind: "regression",
    unit: "eV/atom",
    published: `
      coGN: 0.017 ± 0.0003; coNGN: 0.0178 ± 0.0004; ALIGNN: 0.0215 ± 0.0005; SchNet (kgcnn v2.1.0): 0.0218 ± 0.0004;
      DimeNet++ (kgcnn v2.1.0): 0.0235 ± 0.0004; GN-OA v1: 0.0248 ± 0.0002; MegNet (kgcnn v2.1.0): 0.0252 ± 0.0003;
      CGCNN v2019: 0.0337 ± 0.0006; DeeperGATGNN: 0.034 ± 0.0023;
      Finder_v1.2 structure-based version: 0.0343 ± 0.0012; MODNet (v0.1.10): 0.0448 ± 0.0039;
      MODNet (v0.1.12): 0.0448 ± 0.0039; Finder_v1.2 composition-only version: 0.0839 ± 0.0011;
      CrabNet: 0.0862 ± 0.001; RF-SCM/Magpie: 0.1165 ± 0.0008; AMMExpress v2020: 0.1726 ± 0.027;
      Lattice-XGBoost: 0.7515 ± 0.0042; Dummy: 1.0059 ± 0.003`,
  },
  mp_gap: {
    rows: 106113,
    inputs: "structure",
    target: "gap pbe",
    kind: "regression",
    unit: "eV",
    published: `
      coGN: 0.1559 ± 0.0017; DeeperGATGNN: 0.1694 ± 0.0047; coNGN: 0.1697 ± 0.0035; ALIGNN: 0.1861 ± 0.003;
      MegNet (kgcnn v2.1.0): 0.1934 ± 0.0087; DimeNet++ (kgcnn v2.1.0): 0.1993 ± 0.0058;
      Finder_v1.2 structure-based version: 0.2193 ± 0.0012; MODNet (v0.1.12): 0.2199 ± 0.0059;
      MODNet (v0.1.10): 0.2199 ± 0.0059; Finder_v1.2 composition-only version: 0.2308 ± 0.0029;
      SchNet (kgcnn v2.1.0): 0.2352 ± 0.0034; CrabNet: 0.2655 ± 0.0029; AMMExpress v2020: 0.2824 ± 0.0061;
      CGCNN v2019: 0.2972 ± 0.0035; RF-SCM/Magpie: 0.3452 ± 0.0033; Dummy: 1.3272 ± 0.006`,
  },
  mp_is_metal: {
    rows: 106113,
    inputs: "structure",
    target: "is_metal",
    kind: "classification",
    published: `
      CGCNN v2019: 0.952 ± 0.0074; ALIGNN: 0.9128 ± 0.0015; coGN: 0.9124 ± 0.0023;
      AMMExpress v2020: 0.9093 ± 0.0008; coNGN: 0.9089 ± 0.0019; MODNet (v0.1.12): 0.9038 ± 0.0106;
      DimeNet++ (kgcnn v2.1.0): 0.9032 ± 0.0036; MegNet (kgcnn v2.1.0): 0.9021 ± 0.0018;
      RF-SCM/Magpie: 0.8992 ± 0.0019; SchNet (kgcnn v2.1.0): 0.8907 ± 0.0018; Matformer: 0.8117 ± 0.0455;
      MODNet (v0.1.10): 0.7805 ± 0.1406; Dummy: 0.5012 ± 0.0043`,
  },
  perovskites: {
    rows: 18928,
    inputs: "structure",
    target: "e_form",
    kind: "regression",
    unit: "eV/cell",
    published: `
      coGN: 0.0269 ± 0.0008; ALIGNN: 0.0288 ± 0.0009; DeeperGATGNN: 0.0288 ± 0.0011; coNGN: 0.029 ± 0.0011;
      Finder_v1.2 structure-based version: 0.032 ± 0.0012; SchNet (kgcnn v2.1.0): 0.0342 ± 0.0005;
      MegNet (kgcnn v2.1.0): 0.0352 ± 0.0016; DimeNet++ (kgcnn v2.1.0): 0.0376 ± 0.0011;
      CGCNN v2019: 0.0452 ± 0.0007; MODNet (v0.1.12): 0.0908 ± 0.0028; MODNet (v0.1.10): 0.0908 ± 0.0028;
      AMMExpress v2020: 0.2005 ± 0.0085; RF-SCM/Magpie: 0.2355 ± 0.0034; CrabNet: 0.4065 ± 0.0069;
      Dummy: 0.566 ± 0.0048; Finder_v1.2 composition-only version: 0.645 ± 0.0167`,
  },
  phonons: {
    rows: 1265,
    inputs: "structure",
    target: "last phdos peak",
    kind: "regression",
    unit: "cm⁻¹",
    published: `
      MegNet (kgcnn v2.1.0): 28.7606 ± 2.5767; coNGN: 28.8874 ± 3.284; ALIGNN: 29.5385 ± 2.1148;
      coGN: 29.7117 ± 1.9968; DeeperGATGNN: 33.1211 ± 1.453; MODNet (v0.1.12): 34.2751 ± 2.0781;
      DimeNet++ (kgcnn v2.1.0): 37.4619 ± 2.1934; MODNet (v0.1.10): 38.7524 ± 1.7732;
      SchNet (kgcnn v2.1.0): 38.9636 ± 1.976; Finder_v1.2 composition-only version: 46.5751 ± 3.7415;
      Finder_v1.2 structure-based version: 50.7406 ± 5.4036; CrabNet: 55.1114 ± 5.7317;
      AMMExpress v2020: 56.1706 ± 6.7981; CGCNN v2019: 57.7635 ± 12.3109; RF-SCM/Magpie: 67.6126 ± 8.99;
      Dummy: 323.9822 ± 17.7269`,
  },
  steels: {
    rows: 312,
    inputs: "composition",
    target: "yield strength",
    kind: "regression",
    unit: "MPa",
    published: `
      TPOT-Mat: 79.9468 ± 13.5883; AutoML-Mat: 82.3043 ± 8.8565; MODNet (v0.1.12): 87.7627 ± 12.2188;
      RF-Regex Steels: 90.5896 ± 6.7138; MODNet (v0.1.10): 96.2139 ± 9.8352; AMMExpress v2020: 97.4929 ± 13.7919;
      RF-SCM/Magpie: 103.5125 ± 11.0368; CrabNet: 107.316 ± 18.9057; Darwin: 123.2932 ± 13.9542;
      gptchem: 143.0028 ± 16.9642; Dummy: 229.7445 ± 9.6958`,
  },
} as const;

/** The names of the tasks without their "matbench_". */
export const MATBENCH_TASKS: readonly string[] = Object.keys(TASKS);

/** The task called "matbench_phonons" or "phonons". @throws UserError for a name that no task has */
export function matbenchTask(name: string): MatbenchTask {
  const short = name.replace(/^matbench_/, "");
  if (!(short in TASKS)) throw unknownName("Matbench v0.1 has no task", name, MATBENCH_TASKS);
  const { published, ...facts }: Omit<MatbenchTask, "name" | "published"> & { published: string } =
    TASKS[short as keyof typeof TASKS];
  return { name: `matbench_${short}`, ...facts, published: published.split(";").map(entry) };
}

/** "coGN: 0.3088 ± 0.0859" */
function entry(text: string): MatbenchTask["published"][number] {
  const [, algorithm, value, std] = /^\s*(.+): (\S+) ± (\S+)\s*$/.exec(text)!;
  return { algorithm, value: Number(value), std: Number(std) };
}

/** The official id of row i, which is counted from 0: "mb-phonons-0001". */
export const matbenchId = ({ name, rows }: MatbenchTask, i: number): string =>
  `${name.replace("matbench", "mb").replaceAll("_", "-")}-${String(i + 1).padStart(String(rows).length, "0")}`;

/**
 * Checks that rows are those of a task, as far as can be seen: as many, and where they have official ids, in the official order,
 * on which the folds depend.
 *
 * @throws UserError saying what differs
 */
export function checkMatbenchRows(task: MatbenchTask, file: string, ids: readonly string[]): void {
  if (ids.length !== task.rows)
    throw new UserError(
      `${file} has ${ids.length} rows; ${task.name} has ${task.rows}.`,
      "The official folds are of all rows, in the official order: give the whole file.",
    );
  const wrong = ids.findIndex((id, i) => id.startsWith("mb-") && id !== matbenchId(task, i));
  if (wrong >= 0)
    throw new UserError(
      `${file}, row ${wrong + 1}: its id is ${ids[wrong]}; in ${task.name} it is ${matbenchId(task, wrong)}.`,
      "The official folds depend on the order of the rows: leave it as it is in Matbench's files.",
    );
}
