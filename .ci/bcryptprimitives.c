/* What Go asks of Windows for random numbers (ProcessPrng), by what Wine 8 has of it. */
__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *, unsigned long);

__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *buf, unsigned long long n)
{
	const unsigned long most = 1 << 30;
	for (; n > most; n -= most, buf += most)
		if (!SystemFunction036(buf, most))
			return 0;
	return SystemFunction036(buf, (unsigned long)n);
}
