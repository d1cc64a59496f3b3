// Browsers run no worker from a file. The search of the site is one: where the site is opened from
// a folder, it runs in a hidden frame instead.
class FrameWorker extends EventTarget {
  constructor(url) {
    super();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.appendChild(frame);
    const page = frame.contentDocument;
    page.open();
    page.write("<!doctype html><title>Search</title><body></body>");
    page.close();
    this.scope = frame.contentWindow;
    this.scope.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
    const script = page.createElement("script");
    this.ready = new Promise((loaded) => script.addEventListener("load", loaded));
    script.src = url;
    page.body.appendChild(script);
  }

  postMessage(data) {
    this.ready.then(() => this.scope.dispatchEvent(new MessageEvent("message", { data })));
  }
}

if (location.protocol === "file:") {
  window.Worker = FrameWorker;
}
