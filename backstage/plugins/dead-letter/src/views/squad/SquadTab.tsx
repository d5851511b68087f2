import { stringifyEntityRef } from '@backstage/catalog-model';
import { useEntity } from '@backstage/plugin-catalog-react';
import { squadOf } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Guarded } from '../../components/Guarded';
import { Squad } from './Squad';

/** The dead letters of a group. */
export function SquadTab() {
  const { entity } = useEntity();
  const resourceRef = stringifyEntityRef(entity);
  return (
    <Guarded resourceRef={resourceRef}>
      <Squad squad={squadOf(entity)} />
    </Guarded>
  );
}
