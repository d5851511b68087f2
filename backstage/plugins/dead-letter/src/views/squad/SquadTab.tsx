import { stringifyEntityRef } from '@backstage/catalog-model';
import { useEntity } from '@backstage/plugin-catalog-react';
import { SQUAD_ANNOTATION } from '../../annotations';
import { Guarded } from '../../components/Guarded';
import { Squad } from './Squad';

/** The dead letters of a group. */
export function SquadTab() {
  const { entity } = useEntity();
  const { annotations, name } = entity.metadata;
  const resourceRef = stringifyEntityRef(entity);
  return (
    <Guarded resourceRef={resourceRef}>
      <Squad
        squad={annotations?.[SQUAD_ANNOTATION] ?? name}
        resourceRef={resourceRef}
      />
    </Guarded>
  );
}
