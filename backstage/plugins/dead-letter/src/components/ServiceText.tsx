import { Fragment } from 'react';
import { Time } from './Time';

/** As the service writes times: RFC 3339 in UTC. */
const TIME = /(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z)/;

/** A text of the service. The times in it are shown as all others on the page are: as they are here. */
export function ServiceText({ text }: { text: string }) {
  return (
    <>
      {text.split(TIME).map((part, index) => (
        // The parts have no other name than their place.
        // eslint-disable-next-line react/no-array-index-key
        <Fragment key={index}>
          {index % 2 === 1 ? <Time at={part} /> : part}
        </Fragment>
      ))}
    </>
  );
}
