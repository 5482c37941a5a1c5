/** spinel/data: tables, formulas, elements, features, data sets, and what cuts them into minibatches. */
export { atomVector92 } from "./atomVector.ts";
export * from "./composition.ts";
export { ArrayDataset, type Batch, type Dataset, splitRows } from "./dataset.ts";
export { type DatasetEntry, datasets } from "./datasets.ts";
export { ELEMENTS, type Element, element } from "./elements.ts";
export { type FeatureRows, type FeatureSpec, Featuriser, type FeaturiserJson } from "./featuriser.ts";
export { Composition, parseFormula } from "./formula.ts";
export { type IonicCompound, ionicCompounds, ionicTable } from "./ionic.ts";
export type { Source } from "./open.ts";
export { type GetOptions, getDataset, listDatasets } from "./registry.ts";
export { type ColumnOptions, readRows, readTable, Table, type TableOptions } from "./table.ts";
export { readCsv, TabularData } from "./tabular.ts";
