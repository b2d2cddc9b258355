import { tagHighlighter, tags } from '@lezer/highlight';

/** The colours of code, by the classes of spike.css: they follow the theme without a new editor. */
export const codeColours = tagHighlighter([
  { tag: [tags.propertyName, tags.definition(tags.propertyName), tags.tagName], class: 'ck' },
  { tag: [tags.string, tags.attributeValue], class: 'cs' },
  { tag: tags.number, class: 'cn' },
  { tag: [tags.bool, tags.null, tags.keyword, tags.atom, tags.attributeName], class: 'ca' },
  { tag: [tags.comment, tags.meta], class: 'cc' },
  { tag: [tags.separator, tags.punctuation, tags.bracket, tags.angleBracket], class: 'cp' },
]);
