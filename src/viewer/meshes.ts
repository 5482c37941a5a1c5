import {
  BackSide,
  BufferGeometry,
  Color,
  CylinderGeometry,
  Float32BufferAttribute,
  Group,
  InstancedMesh,
  LineBasicMaterial,
  LineSegments,
  Matrix4,
  MeshBasicMaterial,
  MeshPhongMaterial,
  Quaternion,
  SphereGeometry,
  Vector3,
} from "three";
import { ballRadius, cellEdges, type Scene, type Stick } from "./scene.ts";

/** Å. */
const BOND_RADIUS = 0.1;
const EDGE_RADIUS = 0.04;
const RIM = 0.09;

const EDGE_COLOR = "#8a93a3";
const RIM_COLOR = "#ff8c1a";

/** The scene as three's objects, five draw calls whatever the number of atoms, with the cell in the colour `ink`; end it by `disposeOf`. */
export function meshesOf(scene: Scene, ink: string): Group {
  const group = new Group();
  for (const ghost of [false, true]) {
    const balls = scene.balls.filter((ball) => ball.ghost === ghost);
    const sticks = scene.sticks.filter((stick) => stick.ghost === ghost);
    if (balls.length > 0) group.add(spheres(scene, balls, ghost));
    if (sticks.length > 0) group.add(cylinders(scene, sticks, ghost));
  }
  if (scene.lattice) {
    const points = cellEdges(scene.lattice).flat(2);
    const geometry = new BufferGeometry().setAttribute("position", new Float32BufferAttribute(points, 3));
    group.add(new LineSegments(geometry, new LineBasicMaterial({ color: ink, transparent: true, opacity: 0.55 })));
  }
  return group;
}

/** A rim around every image of an atom: spheres somewhat larger, of which only the far side is seen. */
export function rimOf(scene: Scene, atom: number): Group {
  const balls = scene.balls.filter((ball) => ball.atom === atom);
  const material = new MeshBasicMaterial({ color: RIM_COLOR, side: BackSide });
  const mesh = new InstancedMesh(new SphereGeometry(1, 24, 16), material, balls.length);
  balls.forEach((ball, i) => place(mesh, i, scene, ball, RIM));
  return new Group().add(mesh);
}

export function disposeOf(group: Group): void {
  for (const child of group.children as (InstancedMesh | LineSegments)[]) {
    child.geometry.dispose();
    (child.material as MeshPhongMaterial | LineBasicMaterial).dispose();
    if (child instanceof InstancedMesh) child.dispose();
  }
}

function spheres(scene: Scene, balls: Scene["balls"], ghost: boolean): InstancedMesh {
  const round = balls.length < 400 ? 32 : balls.length < 4000 ? 20 : 12;
  const mesh = new InstancedMesh(new SphereGeometry(1, round, round / 2), shiny(ghost), balls.length);
  balls.forEach((ball, i) => {
    place(mesh, i, scene, ball, 0);
    mesh.setColorAt(i, new Color(scene.sites[ball.atom].color));
  });
  return mesh;
}

function place(mesh: InstancedMesh, i: number, { sites }: Scene, ball: Scene["balls"][number], more: number): void {
  const radius = ballRadius(sites[ball.atom]) * (ball.ghost ? 0.8 : 1) + more;
  mesh.setMatrixAt(i, new Matrix4().makeScale(radius, radius, radius).setPosition(...ball.position));
}

/** A bond has each half in the colour of its atom; an edge of a graph is thin and of one colour. */
function cylinders(scene: Scene, sticks: readonly Stick[], ghost: boolean): InstancedMesh {
  const { sites, balls, graph } = scene;
  const halves = graph ? 1 : 2;
  const radius = graph ? EDGE_RADIUS : BOND_RADIUS;
  const geometry = new CylinderGeometry(1, 1, 1, sticks.length < 2000 ? 12 : 6, 1, true);
  const mesh = new InstancedMesh(geometry, shiny(ghost), halves * sticks.length);
  const up = new Vector3(0, 1, 0);
  sticks.forEach(({ from, to }, i) => {
    const ends = [from, to].map((ball) => new Vector3(...balls[ball].position));
    const along = ends[1].clone().sub(ends[0]);
    const length = along.length();
    const turn = new Quaternion().setFromUnitVectors(up, along.clone().normalize());
    for (let half = 0; half < halves; half++) {
      const middle = ends[0].clone().addScaledVector(along, (half + 0.5) / halves);
      mesh.setMatrixAt(
        halves * i + half,
        new Matrix4().compose(middle, turn, new Vector3(radius, length / halves, radius)),
      );
      const color = graph ? EDGE_COLOR : sites[balls[half === 0 ? from : to].atom].color;
      mesh.setColorAt(halves * i + half, new Color(color));
    }
  });
  return mesh;
}

function shiny(ghost: boolean): MeshPhongMaterial {
  const faint = { transparent: true, opacity: 0.35, depthWrite: false };
  return new MeshPhongMaterial({ shininess: 50, specular: "#333333", ...(ghost ? faint : {}) });
}
