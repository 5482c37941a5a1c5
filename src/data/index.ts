/** spinel/data: tables, structures, images, formulas, elements, features, data sets, and what cuts them into minibatches. */
export { atomVector92 } from "./atomVector.ts";
export { AUGMENT_PRESETS, Augmenter, type AugmentSpec, parseAugment } from "./augment.ts";
export { parseCif, writeCif } from "./cif.ts";
export * from "./composition.ts";
export {
  CGCNN_GRAPH,
  CrystalGraphFeaturiser,
  type CrystalGraphSpec,
  GraphDataset,
} from "./crystalGraph.ts";
export { type CrystalOptions, type CrystalSource, hasStructures, readCrystals } from "./crystals.ts";
export {
  ArrayDataset,
  type Batch,
  type Dataset,
  type LabelledDataset,
  type RowFeaturiser,
  splitRows,
} from "./dataset.ts";
export { type DatasetEntry, datasets } from "./datasets.ts";
export {
  type ElementSet,
  ElementSetDataset,
  ElementSetFeaturiser,
  ElementSets,
  groupFormulas,
} from "./elementSet.ts";
export { ELEMENTS, type Element, element } from "./elements.ts";
export { type ElementVectors, elementVectors, readElementVectors } from "./elementVectors.ts";
export { ewaldEnergy } from "./ewald.ts";
export { parseExtxyz, writeExtxyz } from "./extxyz.ts";
export { type FeatureRows, type FeatureSpec, Featuriser, type FeaturiserJson } from "./featuriser.ts";
export { Composition, parseFormula } from "./formula.ts";
export { minimumImage, type Periodicity } from "./geometry.ts";
export { Graph, type GraphAttributes, type GraphData, graphData } from "./graph.ts";
export {
  type ColourMap,
  type HeatmapOptions,
  heatmap,
  imagesOf,
  type MontageOptions,
  montage,
  overlay,
  type Range,
  rangeOf,
  toBytes,
} from "./heatmap.ts";
export { type Image, image } from "./image.ts";
export { decodeImage, encodePng } from "./imageCodec.ts";
export {
  IMAGENET,
  ImageDataset,
  ImageFeaturiser,
  type ImageFeaturiserJson,
  type ImageSpec,
} from "./imageFeaturiser.ts";
export { hasImages, type ImageOptions, type ImageSource, readImageRows, readImages } from "./images.ts";
export { imageTable } from "./imageTable.ts";
export {
  centreCrop,
  fitTo,
  type ImageFit,
  type ImageSize,
  resize,
  resizeShorter,
  toGrey,
  toRgb,
} from "./imageTransform.ts";
export { type IonicCompound, ionicCompounds, ionicTable } from "./ionic.ts";
export { ionicCrystals } from "./ionicCrystals.ts";
export { ionicEnergy } from "./ionicEnergy.ts";
export { karate } from "./karate.ts";
export { Lattice, type Matrix3, type Vector3 } from "./lattice.ts";
export { type LineGraph, lineGraph } from "./lineGraph.ts";
export {
  MICROSTRUCTURES,
  type Microstructure,
  type MicrostructureKind,
  microstructure,
  microstructures,
} from "./microstructures.ts";
export { mnist1d } from "./mnist1d.ts";
export { NBodyFeaturiser, type NBodySystem, nBody, nBodyGraph, nBodySystem } from "./nbody.ts";
export { closestPair, type NeighbourList, type NeighbourOptions, neighbourList } from "./neighbours.ts";
export { NodeDataset, NodeFeaturiser, type NodeSpec } from "./nodeFeaturiser.ts";
export {
  type GraphNode,
  type NodeFeatures,
  type NodeGraph,
  type NodeRole,
  nodeTable,
  parseNodeGraph,
} from "./nodeGraph.ts";
export { type GraphTableOptions, type GraphTables, readNodeGraph } from "./nodeGraphFiles.ts";
export type { Source } from "./open.ts";
export { PointCloudDataset, PointCloudFeaturiser, type PointCloudSpec } from "./pointCloudFeaturiser.ts";
export { POINT_CLOUDS, pointClouds } from "./pointClouds.ts";
export { parsePoscar, writePoscar } from "./poscar.ts";
export { PotentialDataset, type PotentialRecord, type RecordParts, readRecords } from "./potentialDataset.ts";
export { PotentialFeaturiser, type PotentialSpec } from "./potentialFeaturiser.ts";
export { PROTOTYPES, type PrototypeName, prototype } from "./prototypes.ts";
export { structureFromPymatgen, toPymatgen } from "./pymatgen.ts";
export { fitReferences, type References, referenceEnergy } from "./referenceEnergies.ts";
export { type GetOptions, getDataset, listDatasets } from "./registry.ts";
export type { SparseRows } from "./sparseRows.ts";
export { type Occupant, type Property, Structure, type StructureInit } from "./structure.ts";
export { parseStructures, readStructures, writeStructure } from "./structureFiles.ts";
export { type ColumnOptions, readRows, readTable, Table, type TableOptions } from "./table.ts";
export { readCsv, TabularData } from "./tabular.ts";
