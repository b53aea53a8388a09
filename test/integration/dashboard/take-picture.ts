import { writeFileSync } from "node:fs";
import type { Page } from "playwright-core";

/** Keeps what a page shows as a picture that is small: WebP, which the browser itself makes of its PNG. */
export async function takePicture(page: Page, file: string): Promise<void> {
  const png = (await page.screenshot()).toString("base64");
  // The dashboard's own pages may not make pictures of their pixels.
  const blank = await page.context().newPage();
  try {
    const url: unknown = await blank.evaluate(`(async () => {
      const image = new Image();
      image.src = "data:image/png;base64,${png}";
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.width, image.height];
      canvas.getContext("2d").drawImage(image, 0, 0);
      return canvas.toDataURL("image/webp", 0.7);
    })()`);
    writeFileSync(file, Buffer.from(String(url).replace(/^data:image\/webp;base64,/, ""), "base64"));
  } finally {
    await blank.close();
  }
}
