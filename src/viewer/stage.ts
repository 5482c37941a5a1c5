import { type Camera, type Scene, WebGLRenderer } from "three";

/**
 * The one WebGL context of the page. Browsers allow about sixteen and then drop the oldest, so every viewer draws with this one and
 * copies the picture to its own canvas. It lives as long as there are viewers.
 */
export class Stage {
  private static shared: Stage | undefined;
  private readonly redraws = new Set<() => void>();

  /** @returns undefined where there is no WebGL */
  static join(redraw: () => void): Stage | undefined {
    if (!Stage.shared) {
      const canvas = document.createElement("canvas");
      // Asked for here and not by three, which would log the failure.
      const context = canvas.getContext("webgl2", { alpha: true, antialias: true });
      if (!context) return undefined;
      Stage.shared = new Stage(new WebGLRenderer({ canvas, context, alpha: true, antialias: true }));
    }
    Stage.shared.redraws.add(redraw);
    return Stage.shared;
  }

  private constructor(private readonly renderer: WebGLRenderer) {
    renderer.setScissorTest(true);
    renderer.domElement.addEventListener("webglcontextrestored", () => {
      for (const redraw of this.redraws) redraw();
    });
  }

  /** Draws the scene over the whole target, whose size in pixels it keeps; what was there is gone. */
  draw(scene: Scene, camera: Camera, target: CanvasRenderingContext2D): void {
    const { width, height } = target.canvas;
    const { renderer } = this;
    const { domElement: own } = renderer;
    // Grows only: viewers of different sizes must not resize it back and forth.
    if (own.width < width || own.height < height)
      renderer.setDrawingBufferSize(Math.max(own.width, width), Math.max(own.height, height), 1);
    renderer.setViewport(0, 0, width, height);
    renderer.setScissor(0, 0, width, height);
    renderer.render(scene, camera);
    target.clearRect(0, 0, width, height);
    target.drawImage(own, 0, own.height - height, width, height, 0, 0, width, height);
  }

  leave(redraw: () => void): void {
    this.redraws.delete(redraw);
    if (this.redraws.size > 0) return;
    this.renderer.dispose();
    this.renderer.forceContextLoss();
    Stage.shared = undefined;
  }
}
