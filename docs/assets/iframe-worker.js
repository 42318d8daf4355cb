// The search runs in a Worker, which browsers do not start for a page opened as a file: there, a hidden frame does its work.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inside = this.frame.contentWindow;
      inside.document.open();
      inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }));
      inside.importScripts = async (...urls) => {
        for (const src of urls) await this.add(src);
      };
      inside.document.write("<!doctype html><body></body>");
      inside.document.close();
      this.ready = this.add(url);
    }
    add(src) {
      const inside = this.frame.contentWindow.document;
      return new Promise(loaded => inside.body.append(Object.assign(inside.createElement("script"), { src, onload: loaded })));
    }
    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {
      this.frame.remove();
    }
  };
}
