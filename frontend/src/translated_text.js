// A translator of the browser puts <font> elements in the place of text nodes. The page's code would go on to write into the nodes that nobody
// sees, and the figures would stand still. So a text that changes comes back in the place of its translation.
const translations = new WeakMap();
const rewritten = new MutationObserver((records) => {
  records.forEach(({ target }) => {
    const translation = translations.get(target);
    translations.delete(target);
    if (translation && translation.isConnected) translation.replaceWith(target);
  });
});
new MutationObserver((records) => {
  records.forEach(({ addedNodes, removedNodes, previousSibling, nextSibling }) => {
    const beside = [...addedNodes, previousSibling, nextSibling];
    const translation = beside.find((node) => node && node.nodeName === "FONT");
    removedNodes.forEach((node) => {
      if (translation && node.nodeType === Node.TEXT_NODE && !node.isConnected) {
        translations.set(node, translation);
        rewritten.observe(node, { characterData: true });
      }
    });
  });
}).observe(document.body, { childList: true, subtree: true });
