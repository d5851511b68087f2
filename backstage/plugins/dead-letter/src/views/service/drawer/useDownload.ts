import { useMutation } from '@tanstack/react-query';
import { useDeadLetter } from '../../../hooks/useDeadLetter';

/** Saves the exact bytes of a body. */
export function useDownload(id: string, fileName: string) {
  const client = useDeadLetter();
  return useMutation<void, Error>({
    mutationFn: async () => {
      const address = URL.createObjectURL(await client.body(id));
      const link = document.createElement('a');
      link.href = address;
      link.download = fileName;
      link.click();
      URL.revokeObjectURL(address);
    },
  });
}
